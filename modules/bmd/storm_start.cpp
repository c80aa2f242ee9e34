/// @file storm_start.cpp  Storms go on where a server before this one left them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <mutex>
#include <shared_mutex>
#include <vector>

#include "bmd/storm.hpp"
#include "book.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "slots.hpp"
#include "storm_keeper.hpp"
#include "suppress.hpp"

namespace bmd {

namespace {

struct Member
{
	Uuid alert; ///< its own
	Uuid storm;
	Index device;
};

// Until all alerts have been loaded: a storm may come after its devices.
std::vector<Member> &members()
{
	static std::vector<Member> all;
	return all;
}

std::uint64_t cause_of(const AlertRec &alert) noexcept
{
	const Store &s = *store();
	for(Index i = 1; i <= s.collectors.used; ++i)
		if(storm_name(s.collectors[i].name) == alert.serial)
			return hash_name(s.collectors[i].name);
	return site_cause;
}

std::vector<Index> open_storm_alerts()
{
	const Store &s = *store();
	std::vector<Index> slots;
	for(Index i = s.open_head; i != 0; i = s.alerts[i].next_open)
		if(s.alerts[i].condition == Condition::storm)
			slots.push_back(i);
	return slots;
}

void restore_storm(Index slot)
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(storm_mutex());
	const std::uint8_t number = take_storm(cause_of(s.alerts[slot]));
	if(number == 0) { // its devices are told one by one
		const Actor actor{{}, {}, "there is no room for one more storm"};
		end_alert(slot, "superseded", actor, wall_now(), Ending::closed);
		return;
	}
	s.storms[number].alert = s.alerts[slot].id;
	s.storms[number].slot = slot;
}

// The alert of a device whose storm is not there is told by itself.
void restore_member(const Member &member)
{
	Store &s = *store();
	std::uint8_t storm = 0;
	{
		const std::lock_guard<Mutex> guard(storm_mutex());
		storm = find_storm(member.storm);
	}
	const Index stale = s.devices[member.device].stale_alert;
	if(storm != 0 && stale != 0 && s.alerts[stale].id == member.alert)
		s.devices[member.device].storm.store(storm);
	const std::lock_guard<Mutex> guard(s.stripe[member.device % stripes]);
	match_suppression(member.device, wall_now());
}

void restore_record(std::uint8_t storm)
{
	Store &s = *store();
	std::vector<Index> devices;
	for(Index i = 1; i <= s.devices.used; ++i)
		if(s.devices[i].storm.load() == storm)
			devices.push_back(i);
	const StormCount count = count_storm(storm, devices);
	show_storm(storm, count);
	const std::shared_lock<RwLock> registry(s.registry_lock);
	for(const auto &[feed, carried] : count.feeds)
		(void)add_recipient(s.storms[storm].alert, s.storms[storm].slot, feed, recipient_devices);
}

} // namespace

void remember_member(Index alert, const Uuid &storm)
{
	const AlertRec &rec = store()->alerts[alert];
	members().push_back({rec.id, storm, rec.device});
}

void restore_storms()
{
	Store &s = *store();
	{
		const std::shared_lock<RwLock> registry(s.registry_lock);
		for(const Index slot : open_storm_alerts())
			restore_storm(slot);
		for(const Member &member : members())
			restore_member(member);
	}
	members().clear();
	for(std::uint8_t storm = 1; storm <= max_storms; ++storm)
		if(s.storms[storm].slot != 0)
			restore_record(storm);
}

} // namespace bmd
