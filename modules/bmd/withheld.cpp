/// @file withheld.cpp  An operator's alert for each technician from whom documents are withheld.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "withheld.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "bmd/storm.hpp"
#include "bmd_host.h"
#include "book.hpp"
#include "escalation_wanted.hpp"
#include "storm.hpp"

namespace bmd {

namespace {

constexpr TimeUs look_anyway = 5 * second_us;
constexpr std::string_view no_data = "NoData";

// Those who are told nothing.
std::set<std::string> untold_people()
{
	std::set<std::string> people;
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	each_encryption([&](const EncryptionRec &record) {
		if(record.encrypted_only && record.untold.load())
			people.emplace(record.user);
	});
	return people;
}

// Does the person get encrypted documents only?  Then from now on untold, or not.
bool set_untold(std::string_view user, bool untold)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	EncryptionRec *const record = find_encryption(user);
	if(record == nullptr || !record->encrypted_only)
		return false;
	record->untold.store(untold);
	return true;
}

// Names in alerts may be shortened: so the people are asked who is called so.
std::string person_called(std::string_view name)
{
	std::string user;
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	each_encryption([&](const EncryptionRec &record) {
		if(withheld_name(record.user) == name)
			user = record.user;
	});
	return user;
}

} // namespace

std::string withheld_name(std::string_view user)
{
	return storm_name(user);
}

std::string withheld_cause(std::string_view name)
{
	return "technician " + std::string(name.substr(std::min<std::size_t>(name.size(), 1)));
}

bool WithheldKeeper::is_open(const Open &open) const noexcept
{
	const std::lock_guard<Mutex> guard(storm_mutex());
	const AlertRec &alert = store()->alerts[open.slot];
	return alert.id == open.id && alert.device == 0 && alert.list == AlertList::open;
}

// Those of a server before this one go on until somebody is told something, or gets plain
// documents.
void WithheldKeeper::begin()
{
	Store &s = *store();
	std::vector<std::pair<std::string, Open>> there;
	{
		const std::shared_lock<RwLock> registry(s.registry_lock);
		const std::lock_guard<Mutex> guard(storm_mutex());
		for(Index i = s.devices[0].first_alert; i != 0; i = s.alerts[i].next_of_device)
			if(s.alerts[i].condition == Condition::withheld)
				there.emplace_back(s.alerts[i].serial, Open{s.alerts[i].id, i});
	}
	for(const auto &[name, open] : there)
		if(const std::string user = person_called(name); set_untold(user, true))
			open_[user] = open;
		else
			end(open, "this person gets other documents now");
}

void WithheldKeeper::raise(const std::string &user)
{
	const std::string name = withheld_name(user);
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	const std::lock_guard<Mutex> guard(storm_mutex());
	NewAlert seed;
	seed.metric = find_alarm(no_data)->id;
	seed.condition = Condition::withheld;
	seed.kind = AlertKind::technical;
	seed.priority = Priority::medium;
	seed.value = seed.limit = std::numeric_limits<double>::quiet_NaN();
	seed.onset_at = wall_now();
	seed.name = name;
	if(const Index slot = raise_alert(seed); slot != 0) // else it is tried again
		open_[user] = {store()->alerts[slot].id, slot};
	resume_escalations();
}

void WithheldKeeper::end(const Open &open, std::string_view why)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	const std::lock_guard<Mutex> guard(storm_mutex());
	const AlertRec &alert = store()->alerts[open.slot];
	if(alert.id == open.id && alert.device == 0 && alert.list == AlertList::open)
		end_alert(open.slot, "cleared", {{}, {}, why}, wall_now(), Ending::may_come_back);
}

void WithheldKeeper::look()
{
	if(!std::exchange(begun_, true))
		begin();
	std::set<std::string> untold = untold_people();
	for(auto next = open_.begin(); next != open_.end();) {
		const auto at = next++;
		if(!is_open(at->second)) { // somebody has ended it: the next document raises another
			(void)set_untold(at->first, false);
			untold.erase(at->first);
		} else if(untold.contains(at->first)) {
			continue;
		} else {
			end(at->second, "documents for this person are sent again");
		}
		open_.erase(at);
	}
	for(const std::string &user : untold)
		if(!open_.contains(user))
			raise(user);
}

void WithheldKeeper::round() noexcept
{
	const TimeUs now = mono_now();
	if(!take_untold_change() && now < look_at_)
		return;
	look_at_ = now + look_anyway;
	try {
		look();
	} catch(const std::exception &failure) {
		bmd_host_log(BMD_LOG_ERROR, (std::string("documents withheld: ") + failure.what()).c_str());
	}
}

} // namespace bmd
