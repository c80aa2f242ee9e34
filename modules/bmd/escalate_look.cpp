/// @file escalate_look.cpp  What has happened to alerts that are escalated, and when they go on.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <shared_mutex>

#include "duty_text.hpp"
#include "escalate.hpp"
#include "registry.hpp"
#include "rejections.hpp"

namespace bmd {

namespace {

constexpr TimeUs look_interval = second_us;
constexpr TimeUs least_look_interval = 100'000; // however much changes
constexpr std::uint8_t all_wishes = escalation_hasten | escalation_rejected;

// Nothing when the device has gone, or a storm is not known yet.
std::optional<EscalationPolicy> policy_in_force(const Duty &duty, const AlertRec &alert)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	const auto ties = ties_of(alert);
	if(!ties)
		return std::nullopt;
	return policy_of(duty, *ties, alert.priority, alert.raised_at);
}

} // namespace

// The last step has begun, before a stop, a rest or a failure, but was not made known: that comes
// first.  False: there is none such, or nobody it is for.
bool Escalator::take_up(Index slot)
{
	EscalationRec &rec = store()->escalation[slot];
	if(beginning_.contains(slot))
		return true;
	if((rec.flags.load() & escalation_unfinished) == 0 || rec.begun == 0)
		return false;
	Step step;
	if(!last_step(slot, step))
		return false;
	const bool found = !step.reached.feeds.empty();
	if(found)
		beginning_[slot] = std::move(step);
	else
		rec.flags.fetch_and(static_cast<std::uint8_t>(~escalation_unfinished));
	return found;
}

// Has somebody rejected it since the last look whom the last step asked?  Then the next comes
// sooner, if it asks others: a repetition does not.
bool Escalator::rejected_by_asked(
		Index slot, const AlertRec &alert, const EscalationPolicy &policy, const Duty &duty) const
{
	const std::uint32_t begun = store()->escalation[slot].begun;
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	const auto ties = ties_of(alert);
	std::vector<std::string> asked = tracked_.at(slot).asked;
	if(const bool repeats = round_of(policy, begun) > 0; ties && !repeats) {
		if(asked.empty() && begun > 0)
			asked = reach(duty, policy.steps[begun - 1], *ties, wall_now()).feeds;
		if(begun <= 1)
			asked.insert(asked.end(), ties->responsible.begin(), ties->responsible.end());
	} else {
		asked.clear();
	}
	const std::vector<Rejecter> fresh = take_fresh_rejecters(slot);
	return std::ranges::any_of(fresh, [&](Rejecter who) {
		return std::ranges::any_of(
				asked, [&](const std::string &feed) { return is_feed_of(who, feed); });
	});
}

// When the next step of an alert is due, to which `wishes` (flags) have come.
void Escalator::plan(Index slot, const AlertRec &alert, std::uint8_t wishes)
{
	EscalationRec &rec = store()->escalation[slot];
	Tracked &tracked = tracked_.at(slot);
	if(alert.priority > tracked.priority)
		forget_rejections(slot); // of something less urgent
	tracked.priority = alert.priority;
	const bool waits = take_up(slot);
	call_again(slot);
	const std::shared_ptr<const Duty> duty = duty_now();
	const auto policy = policy_in_force(*duty, alert);
	tracked.rests = !policy;
	if(!policy)
		return arm(slot, 0);
	const TimeUs now = mono_now();
	const TimeUs due = due_at(*policy, progress_of(slot));
	// who rejected it had been told by the alert itself, which is the first step
	if(wishes != 0 && rec.begun == 0 && due <= now) {
		arm(slot, due);
		rec.flags.fetch_or(wishes);
		return resume_escalations();
	}
	const bool rejected =
			(wishes & escalation_rejected) != 0 && rejected_by_asked(slot, alert, *policy, *duty);
	const bool hastened = rejected || (wishes & escalation_hasten) != 0;
	if(!hastened || waits || due <= now)
		return arm(slot, due);
	set_progress(slot, hasten(*policy, progress_of(slot), now));
	arm(slot, now);
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
		rec.flags.fetch_and(static_cast<std::uint8_t>(~escalation_call));
		return arm(slot, 0);
	}
	const auto wishes = static_cast<std::uint8_t>(
			all_wishes & rec.flags.fetch_and(static_cast<std::uint8_t>(~all_wishes)));
	if(!anew && wishes == 0 && !tracked.rests && tracked.priority == alert.priority)
		return;
	try {
		plan(slot, alert, wishes);
	} catch(...) {
		rec.flags.fetch_or(wishes);
		throw;
	}
}

void Escalator::look_again()
{
	Store &s = *store();
	const TimeUs now = mono_now();
	const std::uint64_t duty = duty_version();
	const std::uint64_t people = s.counters[count_sync_changes].load();
	const bool anew = duty != duty_;
	const bool changed = s.escalation_changed.load() && now - looked_ >= least_look_interval;
	if(!anew && !changed && now - looked_ < look_interval)
		return;
	std::vector<Index> slots;
	for(const auto &[slot, tracked] : tracked_)
		slots.push_back(slot);
	s.escalation_changed.store(false);
	looked_ = now;
	duty_ = duty;
	// whoever found nobody may find somebody now: people, members and devices are of no version
	const bool others = anew || std::exchange(people_, people) != people;
	for(const Index slot : slots) {
		auto &flags = s.escalation[slot].flags;
		if(others && (flags.load() & escalation_nobody) != 0)
			flags.fetch_or(escalation_hasten);
		(void)attempt([&] { look_at(slot, anew); });
	}
	forget_ended(now);
}

} // namespace bmd
