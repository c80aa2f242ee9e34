/// @file storm_tell.cpp  Storms begin, are counted and told, and end.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "book.hpp"
#include "changes.hpp"
#include "duty_text.hpp"
#include "escalation_wanted.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "storm_keeper.hpp"
#include "whom.hpp"

namespace bmd {

namespace {

constexpr std::string_view no_data = "NoData";
constexpr TimeUs count_interval = second_us; // between two that are told
constexpr std::size_t count_piece = 1024;    // under one lock

std::string silent_devices(std::uint32_t count)
{
	return std::to_string(count) + (count == 1 ? " device is silent" : " devices are silent");
}

// Which feeds are those of teams, looked up once each.
class TeamFeeds
{
public:
	bool has(Index feed)
	{
		const auto [at, is_new] = known_.try_emplace(feed, false);
		if(is_new)
			at->second = is_of_team(*duty_, store()->feeds[feed]);
		return at->second;
	}

private:
	std::shared_ptr<const Duty> duty_ = duty_now();
	std::map<Index, bool> known_;
};

// Caller holds the registry lock.
void count_device(Index index, TeamFeeds &teams, StormCount &count)
{
	const Store &s = *store();
	++count.devices;
	count.shown.push_back(index);
	bool has_team = false;
	for(Index e = s.devices[index].first_member; e != 0; e = s.members[e].next_of_device) {
		if(s.feeds[s.members[e].feed].name[0] == '#')
			continue; // an area: nobody's
		++count.feeds[s.members[e].feed];
		has_team = teams.has(s.members[e].feed) || has_team;
	}
	count.orphans = count.orphans || !has_team;
}

} // namespace

StormCount count_storm(std::uint8_t storm, std::vector<Index> &devices)
{
	StormCount count;
	TeamFeeds teams;
	std::vector<Index> left;
	std::ranges::sort(devices); // one may have left and joined again
	devices.erase(std::unique(devices.begin(), devices.end()), devices.end());
	for(std::size_t from = 0; from < devices.size(); from += count_piece) {
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		for(std::size_t i = from; i < std::min(devices.size(), from + count_piece); ++i) {
			if(!in_storm(devices[i], storm)) {
				leave_storm(devices[i], storm); // it was heard before it had an alert
				continue;
			}
			left.push_back(devices[i]);
			count_device(devices[i], teams, count);
		}
	}
	devices = std::move(left);
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	most_urgent(count.shown);
	return count;
}

void show_storm(std::uint8_t storm, const StormCount &count) noexcept
{
	const std::lock_guard<Mutex> guard(storm_mutex());
	StormRec &rec = store()->storms[storm];
	rec.devices = count.devices;
	rec.shown_count = static_cast<std::uint32_t>(count.shown.size());
	std::ranges::copy(count.shown, rec.shown);
	rec.orphans = count.orphans;
	rec.ready = true;
}

// Recorded at once, so that the database knows of the storm before it learns what belongs to it.
std::uint8_t StormKeeper::open_storm(std::uint64_t cause, std::uint32_t devices)
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	const std::string name =
			storm_name(cause == site_cause ? std::string_view() : collector_name(cause));
	const std::lock_guard<Mutex> guard(storm_mutex());
	const std::uint8_t number = take_storm(cause);
	if(number == 0)
		return 0;
	const AlarmInfo *info = find_alarm(no_data);
	NewAlert seed;
	seed.metric = info->id;
	seed.condition = Condition::storm;
	seed.kind = info->kind;
	seed.priority = info->priority;
	seed.value = devices;
	seed.limit = std::numeric_limits<double>::quiet_NaN();
	seed.onset_at = wall_now();
	seed.mutes = devices;
	seed.name = name;
	const Index slot = raise_alert(seed);
	if(slot == 0)
		return 0;
	StormRec &rec = s.storms[number];
	rec.alert = s.alerts[slot].id;
	rec.slot = slot;
	count(count_storms);
	storms_[number] = Kept{};
	for(const Index feed : recipients_of(rec.alert, recipient_devices))
		storms_[number].told[feed] = 0; // it comes back; who is not concerned by now forgets it
	return number;
}

// The first time everybody at once, then feeds whose devices have become more or fewer, and those
// it was escalated to.
void StormKeeper::tell_feeds(const AlertRec &alert, Index slot, Kept &kept, const StormCount &count)
{
	Store &s = *store();
	const bool first = kept.told_at == 0;
	const std::shared_lock<RwLock> registry(s.registry_lock);
	for(const auto &[feed, before] : kept.told)
		if(!count.feeds.contains(feed)) {
			remove_recipient(alert.id, feed, recipient_devices);
			queue_change_to(alert, s.feeds[feed].name);
		}
	for(const auto &[feed, devices] : count.feeds) {
		const auto before = kept.told.find(feed);
		if(before != kept.told.end() && before->second == devices)
			continue;
		(void)add_recipient(alert.id, slot, feed, recipient_devices);
		if(!first)
			queue_change_to(alert, s.feeds[feed].name);
	}
	if(first)
		return queue_change(alert);
	for(const Index feed : recipients_of(alert.id, recipient_called | recipient_holds))
		queue_change_to(alert, s.feeds[feed].name);
}

void StormKeeper::tell(std::uint8_t storm, const StormCount &count, TimeUs now)
{
	Store &s = *store();
	Kept &kept = storms_.at(storm);
	show_storm(storm, count);
	AlertRec alert{};
	Index slot = 0;
	{
		const std::shared_lock<RwLock> registry(s.registry_lock);
		const std::lock_guard<Mutex> guard(storm_mutex());
		slot = s.storms[storm].slot;
		AlertRec &rec = s.alerts[slot];
		if(kept.told_at != 0 || rec.mutes != count.devices) {
			rec.mutes = count.devices;
			rec.value = count.devices;
			record_untold(rec, "updated", {{}, {}, silent_devices(count.devices)}, wall_now());
		}
		alert = rec;
	}
	tell_feeds(alert, slot, kept, count);
	kept.told = count.feeds;
	kept.total = count.devices;
	kept.told_at = now;
}

void StormKeeper::tell_first(std::uint8_t storm, TimeUs now)
{
	Kept &kept = storms_.at(storm);
	kept.counted_at = now;
	tell(storm, count_storm(storm, kept.devices), now);
	resume_escalations(); // who it concerns is known by now
}

void StormKeeper::end(std::uint8_t storm, const StormCount &count)
{
	Store &s = *store();
	for(const Index device : storms_.at(storm).devices) {
		const std::shared_lock<RwLock> registry(s.registry_lock);
		leave_storm(device, storm);
	}
	const std::string why =
			count.devices == 0 ? "all devices are heard again" : silent_devices(count.devices);
	const std::shared_lock<RwLock> registry(s.registry_lock);
	const std::lock_guard<Mutex> guard(storm_mutex());
	const Index slot = s.storms[storm].slot;
	s.alerts[slot].mutes = count.devices;
	s.alerts[slot].value = count.devices;
	end_alert(slot, "cleared", {{}, {}, why}, wall_now(), Ending::may_come_back);
	s.storms[storm] = StormRec{};
	storms_.erase(storm);
}

void StormKeeper::follow(TimeUs now)
{
	const StormRules rules = storm_rules();
	for(auto next = storms_.begin(); next != storms_.end();) {
		const auto at = next++; // it may end
		auto &[storm, kept] = *at;
		if(now - kept.counted_at < count_interval)
			continue;
		kept.counted_at = now;
		const StormCount count = count_storm(storm, kept.devices);
		if(!few_of_storm(rules, count.devices))
			kept.few_since = 0;
		else if(kept.few_since == 0)
			kept.few_since = now;
		if(storm_over(rules, count.devices, kept.few_since, now))
			end(storm, count);
		else if(count.devices != kept.total || count.feeds != kept.told)
			tell(storm, count, now);
	}
}

// Storms of a server before this one: terminals get everything at the start anyway.
void StormKeeper::begin()
{
	const Store &s = *store();
	std::vector<std::vector<Index>> members(max_storms + 1);
	for(Index i = 1; i <= s.devices.used; ++i)
		if(const std::uint8_t storm = s.devices[i].storm.load(); storm != 0)
			members[storm].push_back(i);
	for(std::uint8_t storm = 1; storm <= max_storms; ++storm) {
		if(s.storms[storm].slot == 0)
			continue;
		Kept &kept = storms_[storm];
		// who has not been heard since may have fallen silent with them
		kept.span = StormSpan(mono_now());
		kept.devices = std::move(members[storm]);
		const StormCount count = count_storm(storm, kept.devices);
		kept.told = count.feeds;
		kept.total = count.devices;
		kept.told_at = mono_now();
	}
}

} // namespace bmd
