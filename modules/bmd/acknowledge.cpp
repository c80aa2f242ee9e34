/// @file acknowledge.cpp  An operator has seen a latched alert.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <mutex>
#include <shared_mutex>

#include "evaluate.hpp"

namespace bmd {

namespace {

Index find_open(const Uuid &id) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> book(s.book_lock);
	Index i = s.open_head;
	while(i != 0 && s.alerts[i].id != id)
		i = s.alerts[i].next_open;
	return i;
}

void forget_slot(Index device, Index alert) noexcept
{
	Store &s = *store();
	for(Index i = s.devices[device].first_metric; i != 0; i = s.metrics[i].next) {
		if(s.metrics[i].limit_alert == alert)
			s.metrics[i].limit_alert = 0;
		if(s.metrics[i].valid_alert == alert)
			s.metrics[i].valid_alert = 0;
	}
}

} // namespace

Acknowledged acknowledge_alert(const Uuid &id, const Actor &actor) noexcept
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	const Index i = find_open(id);
	if(i == 0)
		return Acknowledged::unknown;
	const std::lock_guard<Mutex> guard(s.stripe[s.alerts[i].device % stripes]);
	const AlertRec &alert = s.alerts[i];
	if(alert.id != id || alert.state == AlertState::cleared)
		return Acknowledged::unknown; // it ended meanwhile
	if(alert.state == AlertState::active)
		return Acknowledged::still_active;
	forget_slot(alert.device, i);
	end_alert(i, "acknowledged", actor, wall_now());
	return Acknowledged::done;
}

} // namespace bmd
