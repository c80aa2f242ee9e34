/// @file escalate.cpp  Finds alerts, keeps the times of their steps.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "escalate.hpp"

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "bmd_host.h"
#include "duty_text.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "slots.hpp"

namespace bmd {

namespace {

constexpr TimeUs look_interval = second_us;
constexpr TimeUs least_look_interval = 100'000; // however much changes
// Until then notifiers find whom the end of an alert is to be told; one that is kept may come back.
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

enum class State : std::uint8_t
{
	open,
	kept, // cleared, and may come back
	closed
};

State state_of(const Uuid &alert) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> book(s.book_lock);
	const Index i = find_by_id(alert);
	if(i == 0)
		return State::closed;
	return is_kept(s.alerts[i]) ? State::kept : State::open;
}

// The time of the alert's raising on the monotonic clock; not in the future.
TimeUs base_of(const AlertRec &alert) noexcept
{
	return mono_now() - std::max<TimeUs>(wall_now() - alert.raised_at, 0);
}

} // namespace

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
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	for(; !ended_.empty() && ended_.front().first <= now; ended_.pop_front()) {
		const Uuid alert = ended_.front().second;
		const State state = state_of(alert);
		if(state == State::kept)
			ended_.emplace_back(now + ended_kept, alert);
		else if(state == State::closed)
			forget_recipients(alert);
	}
}

TimeUs Escalator::next_due(Index slot) const
{
	Store &s = *store();
	AlertRec alert;
	if(!copy_alert(slot, tracked_.at(slot).alert, alert))
		return 0;
	const EscalationRec &rec = s.escalation[slot];
	const std::shared_lock<RwLock> registry(s.registry_lock);
	const auto ties = ties_of(alert);
	if(!ties)
		return 0;
	const auto policy = policy_of(*duty_now(), *ties, alert.priority, alert.raised_at);
	return due_at(policy, {rec.begun, rec.base});
}

void Escalator::track(Index slot, const AlertRec &alert)
{
	EscalationRec &rec = store()->escalation[slot];
	over(slot); // whatever was there before
	tracked_[slot] = {alert.id, alert.priority};
	if(rec.alert != alert.id) {
		rec.begun = 0;
		rec.base = base_of(alert);
		rec.alert = alert.id;
	}
	// no step has been made known since
	if(alert.response.response == Response::rejected)
		rec.flags.fetch_or(escalation_hasten);
	look_at(slot, true);
}

// Newest first, up to those that have been found before.
void Escalator::find_new()
{
	Store &s = *store();
	std::vector<std::pair<Index, AlertRec>> found;
	{
		const std::lock_guard<Mutex> book(s.book_lock);
		for(Index i = s.open_head; i != 0; i = s.alerts[i].next_open) {
			if(static_cast<std::int32_t>(s.escalation[i].opened - seen_) <= 0)
				break;
			found.emplace_back(i, s.alerts[i]);
		}
		seen_ = s.opened;
	}
	// oldest first
	for(auto one = found.rbegin(); one != found.rend(); ++one)
		track(one->first, one->second);
}

// Alerts that had cleared before the server was stopped, and were escalated to people.
void Escalator::find_kept()
{
	Store &s = *store();
	const std::lock_guard<Mutex> book(s.book_lock);
	for(Index i = s.kept.head; i != 0; i = s.alerts[i].next_open)
		if(s.escalation[i].alert == s.alerts[i].id)
			ended_.emplace_back(mono_now() + ended_kept, s.alerts[i].id);
}

// The last step has begun, before a stop or a rest, but was not made known: that comes first.
// False: there is none such, or nobody it is for.
bool Escalator::take_up(Index slot)
{
	EscalationRec &rec = store()->escalation[slot];
	if(beginning_.contains(slot))
		return true;
	if((rec.flags.load() & escalation_unfinished) == 0)
		return false;
	Step step;
	step.number = rec.begun - 1;
	const bool found = prepare(slot, step) && !step.reached.feeds.empty();
	if(found)
		beginning_[slot] = std::move(step);
	else
		rec.flags.fetch_and(static_cast<std::uint8_t>(~escalation_unfinished));
	return found;
}

// What happened to an alert that is tracked: it ended, rests, was rejected, has another priority.
void Escalator::look_at(Index slot, bool anew)
{
	EscalationRec &rec = store()->escalation[slot];
	Tracked &tracked = tracked_.at(slot);
	AlertRec alert;
	if(!copy_alert(slot, tracked.alert, alert) || escalation_wanted(alert) == Wanted::over)
		return over(slot);
	if(escalation_wanted(alert) == Wanted::rest) {
		tracked.rests = true;
		tracked.suppressed = tracked.suppressed || alert.response.suppressed != Suppression::none;
		return arm(slot, 0);
	}
	const auto flags = rec.flags.fetch_and(static_cast<std::uint8_t>(~escalation_hasten));
	const bool rejected = (flags & escalation_hasten) != 0;
	if(!anew && !rejected && !tracked.rests && tracked.priority == alert.priority)
		return;
	tracked.rests = false;
	tracked.priority = alert.priority;
	const bool hasten = !take_up(slot) && rejected;
	const TimeUs now = mono_now();
	const TimeUs due = next_due(slot);
	const TimeUs sooner = hasten && due > now ? due - now : 0;
	rec.base -= sooner;
	arm(slot, due == 0 ? 0 : due - sooner);
	// who rejected it had been told by the alert itself, which is the first step
	if(hasten && rec.begun == 0 && sooner == 0 && due != 0)
		hasten_escalation(slot);
}

void Escalator::look_again()
{
	Store &s = *store();
	const TimeUs now = mono_now();
	const bool anew = duty_version() != duty_;
	const bool changed = s.escalation_changed.load() && now - looked_ >= least_look_interval;
	if(!anew && !changed && now - looked_ < look_interval)
		return;
	s.escalation_changed.store(false);
	looked_ = now;
	duty_ = duty_version();
	std::vector<Index> slots;
	for(const auto &[slot, tracked] : tracked_) {
		slots.push_back(slot);
		// whoever found nobody may find somebody now
		if(anew && (s.escalation[slot].flags.load() & escalation_nobody) != 0)
			s.escalation[slot].flags.fetch_or(escalation_hasten);
	}
	for(const Index slot : slots)
		look_at(slot, anew);
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
		if(!std::exchange(started_, true))
			find_kept();
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
