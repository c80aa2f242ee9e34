/// @file escalate.cpp  Finds alerts, keeps the times of their steps.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "escalate.hpp"

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "bmd_host.h"
#include "duty_text.hpp"
#include "recipients.hpp"
#include "registry.hpp"

namespace bmd {

namespace {

constexpr TimeUs look_interval = second_us;
// Until then notifiers find whom the end of an alert is to be told.
constexpr TimeUs ended_kept = 30 * second_us;
constexpr int beginning_ms = 2; // between looks while a step waits for the database

// A copy of the alert of a slot; false when it is not `alert` any more.
bool copy_alert(Index slot, const Uuid &alert, AlertRec &copy)
{
	Store &s = *store();
	const std::lock_guard<Mutex> book(s.book_lock);
	copy = s.alerts[slot];
	return copy.id == alert;
}

// The time of the alert's raising on the monotonic clock; not in the future.
TimeUs base_of(const AlertRec &alert) noexcept
{
	return mono_now() - std::max<TimeUs>(wall_now() - alert.raised_at, 0);
}

} // namespace

Wanted escalation_wanted(const AlertRec &alert) noexcept
{
	return alert.state == AlertState::cleared ? Wanted::over : Wanted::go_on;
}

void hasten_escalation(Index slot) noexcept
{
	Store &s = *store();
	s.escalation[slot].flags.fetch_or(escalation_hasten);
	s.escalation_hastened.store(true);
	s.escalation_waker.wake();
}

void Escalator::arm(Index slot, TimeUs due)
{
	EscalationRec &rec = store()->escalation[slot];
	due_.erase({rec.due, slot});
	rec.due = due;
	if(due != 0)
		due_.insert({due, slot});
}

void Escalator::over(Index slot)
{
	arm(slot, 0);
	const auto found = tracked_.find(slot);
	if(found == tracked_.end())
		return;
	ended_.emplace_back(mono_now() + ended_kept, found->second.alert);
	tracked_.erase(found);
	beginning_.erase(slot);
}

void Escalator::forget_ended(TimeUs now)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	for(; !ended_.empty() && ended_.front().first <= now; ended_.pop_front())
		forget_recipients(ended_.front().second);
}

TimeUs Escalator::next_due(Index slot) const
{
	Store &s = *store();
	AlertRec alert;
	if(!copy_alert(slot, tracked_.at(slot).alert, alert))
		return 0;
	const EscalationRec &rec = s.escalation[slot];
	const std::shared_lock<RwLock> registry(s.registry_lock);
	const Index device = find_device(alert.serial);
	if(device == 0)
		return 0;
	const auto policy = policy_of(*duty_now(), ties_of(device), alert.priority, alert.raised_at);
	return due_at(policy, {rec.begun, rec.base});
}

void Escalator::track(Index slot, const AlertRec &alert)
{
	EscalationRec &rec = store()->escalation[slot];
	over(slot); // whatever was there before
	tracked_[slot] = {alert.id, alert.priority};
	const bool restored = rec.alert == alert.id;
	if(!restored) {
		rec.begun = 0;
		rec.base = base_of(alert);
		rec.flags.store(0);
		rec.alert = alert.id;
	}
	arm(slot, next_due(slot));
	if((rec.flags.load() & escalation_unfinished) == 0)
		return;
	Step step; // it began before the stop: made known as soon as possible
	step.number = rec.begun - 1;
	if(prepare(slot, step) && !step.reached.feeds.empty())
		beginning_[slot] = std::move(step);
}

// Newest first, up to the first one that is known.
void Escalator::find_new()
{
	Store &s = *store();
	std::vector<std::pair<Index, AlertRec>> found;
	{
		const std::lock_guard<Mutex> book(s.book_lock);
		for(Index i = s.open_head; i != 0; i = s.alerts[i].next_open) {
			const auto known = tracked_.find(i);
			if(known != tracked_.end() && known->second.alert == s.alerts[i].id)
				break;
			found.emplace_back(i, s.alerts[i]);
		}
	}
	// oldest first
	for(auto one = found.rbegin(); one != found.rend(); ++one)
		track(one->first, one->second);
}

// What happened to an alert that is tracked: it ended, rests, was rejected, has another priority.
void Escalator::look_at(Index slot, bool anew)
{
	EscalationRec &rec = store()->escalation[slot];
	Tracked &tracked = tracked_.at(slot);
	AlertRec alert;
	if(!copy_alert(slot, tracked.alert, alert) || escalation_wanted(alert) == Wanted::over)
		return over(slot);
	const TimeUs now = mono_now();
	if(escalation_wanted(alert) == Wanted::pause) {
		if(tracked.paused_at == 0)
			tracked.paused_at = now;
		return arm(slot, 0);
	}
	const auto flags = rec.flags.fetch_and(static_cast<std::uint8_t>(~escalation_hasten));
	const bool hasten = (flags & escalation_hasten) != 0;
	if(!anew && !hasten && tracked.paused_at == 0 && tracked.priority == alert.priority)
		return;
	if(tracked.paused_at != 0)
		rec.base += now - tracked.paused_at;
	tracked.paused_at = 0;
	tracked.priority = alert.priority;
	const TimeUs due = next_due(slot);
	const TimeUs sooner = hasten && due > now ? due - now : 0;
	rec.base -= sooner;
	arm(slot, due == 0 ? 0 : due - sooner);
}

void Escalator::look_again()
{
	Store &s = *store();
	const TimeUs now = mono_now();
	const bool changed = duty_version() != duty_;
	if(!changed && !s.escalation_hastened.exchange(false) && now < look_)
		return;
	look_ = now + look_interval;
	duty_ = duty_version();
	std::vector<Index> slots;
	for(const auto &[slot, tracked] : tracked_) {
		slots.push_back(slot);
		// whoever found nobody may find somebody now
		if(changed && (s.escalation[slot].flags.load() & escalation_nobody) != 0)
			s.escalation[slot].flags.fetch_or(escalation_hasten);
	}
	for(const Index slot : slots)
		look_at(slot, changed);
	forget_ended(now);
}

void Escalator::begin_due(TimeUs now)
{
	while(!due_.empty() && due_.begin()->first <= now) {
		const Index slot = due_.begin()->second;
		arm(slot, 0);
		begin(slot);
	}
}

void Escalator::round(int milliseconds) noexcept
{
	try {
		store()->escalation_waker.wait(beginning_.empty() ? milliseconds : beginning_ms);
		find_new();
		look_again();
		begin_due(mono_now());
		make_known_what_is_stored(mono_now());
		drain_tasks();
	} catch(const std::exception &failure) {
		bmd_host_log(BMD_LOG_ERROR, (std::string("escalation: ") + failure.what()).c_str());
	}
}

} // namespace bmd
