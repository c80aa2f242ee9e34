/// @file escalate_step.cpp  A step of an escalation: who it is for, written, made known.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <mutex>
#include <shared_mutex>

#include "answer.hpp"
#include "bmd_host.h"
#include "duty_text.hpp"
#include "escalate.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "rejections.hpp"
#include "subs.hpp"
#include "tasks.hpp"
#include "watching.hpp"

namespace bmd {

namespace {

constexpr DurationUs early = 1'000; // no earlier than this is early

std::string label(std::uint32_t number)
{
	return "step " + std::to_string(number + 1);
}

} // namespace

bool Escalator::prepare(Index slot, Step &step) const
{
	Store &s = *store();
	const std::shared_ptr<const Duty> duty = duty_now();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	AlertRec alert;
	{
		const std::lock_guard<Mutex> book(s.book_lock);
		alert = s.alerts[slot];
	}
	const auto ties = ties_of(alert);
	if(alert.id != tracked_.at(slot).alert || !ties || escalation_wanted(alert) != Wanted::go_on)
		return false;
	step.policy = policy_of(*duty, *ties, alert.priority, alert.raised_at);
	StepPeople people = people_of(*duty, step.policy, *ties, step.number, wall_now());
	step.index = people.index;
	step.reached = std::move(people.reached);
	step.policy.steps[step.index].how = people.how;
	return true;
}

void Escalator::begin(Index slot)
{
	EscalationRec &rec = store()->escalation[slot];
	// one that still waits for the database, or that a stopped server had begun, comes first
	if(take_up(slot)) {
		make_known(slot, beginning_.at(slot));
		beginning_.erase(slot);
	}
	Step step;
	step.number = rec.begun;
	if(!prepare(slot, step))
		return look_at(slot, true);
	const TimeUs now = mono_now();
	const TimeUs due = due_at(step.policy, progress_of(slot));
	if(due > now + early) // the policy has changed
		return arm(slot, due);
	spare_rejecters(slot, step);
	if(step.reached.feeds.empty() && round_of(step.policy, step.number) > 0)
		return nobody(slot, step);
	start(slot, std::move(step), due);
}

// Who has rejected it is not called again as long as the step reaches others, or others come after
// it.
void Escalator::spare_rejecters(Index slot, Step &step) const
{
	if(step.number == 0)
		return;
	std::vector<std::string> others;
	std::string rejecters;
	for(const std::string &name : step.reached.feeds) {
		if(!has_rejected(slot, name))
			others.push_back(name);
		else
			rejecters += (rejecters.empty() ? "" : ", ") + name;
	}
	if(rejecters.empty())
		return;
	step.spared = others.empty();
	step.anew = step.spared && round_of(step.policy, step.number) > 0;
	if(step.anew)
		return;
	step.reached.feeds = std::move(others);
	step.reached.why = "rejected by " + rejecters + "; " + step.reached.why;
}

// No step reaches anybody: nothing is written again and again, but it is said.  It is tried again
// when the step repeats, and at every full minute: shifts begin then.
void Escalator::nobody(Index slot, const Step &step)
{
	constexpr DurationUs minute = 60 * second_us;
	Store &s = *store();
	const TimeUs now = mono_now();
	const TimeUs next = now + std::min(step.policy.repeat, minute - wall_now() % minute);
	s.escalation[slot].flags.fetch_or(escalation_nobody);
	set_progress(slot, hasten(step.policy, progress_of(slot), next));
	arm(slot, next);
	const auto sofar = s.counters[count_escalation_unheard].fetch_add(1) + 1;
	constexpr TimeUs pause = 10 * second_us;
	TimeUs last = s.complained[count_escalation_unheard].load();
	if((last != 0 && now - last < pause)
			|| !s.complained[count_escalation_unheard].compare_exchange_strong(last, now))
		return;
	bmd_host_log(BMD_LOG_WARNING,
			("escalation: nobody is called for alert " + to_string(tracked_.at(slot).alert)
					+ " by policy " + step.policy.name + ": " + step.reached.why + " ("
					+ std::to_string(sofar) + " such so far)")
					.c_str());
}

// Under the book lock: another alert may have got the slot since it was looked at.
bool Escalator::note_begun(Index slot, const EscalationProgress &next, bool unfinished) const
{
	Store &s = *store();
	EscalationRec &rec = s.escalation[slot];
	const std::lock_guard<Mutex> book(s.book_lock);
	if(s.alerts[slot].id != tracked_.at(slot).alert)
		return false;
	set_progress(slot, next);
	rec.flags.fetch_and(escalation_hasten | escalation_rejected);
	if(unfinished)
		rec.flags.fetch_or(escalation_unfinished);
	return true;
}

// Whatever is thrown on the way, the step begins again a little later, or is made known then.
void Escalator::start(Index slot, Step step, TimeUs due)
{
	const TimeUs now = mono_now();
	const bool found = !step.reached.feeds.empty();
	const bool in_time = step.known() && !tracked_.at(slot).suppressed;
	EscalationProgress next = begin_step(step.policy, progress_of(slot), in_time ? due : now);
	// who has just rejected it is asked again at the time of the repetition, not at once
	const bool again = step.spared && round_of(step.policy, next.begun) > 0;
	if(!found && !again)
		next = hasten(step.policy, next, now);
	std::vector<std::string> asked = step.reached.feeds;
	hand_in(slot, step, due, next.base);
	if(!note_begun(slot, next, found && !step.known()))
		return over(slot);
	count(count_escalation_steps);
	const TimeUs after = due_at(step.policy, next);
	if(found) {
		tracked_.at(slot).asked = std::move(asked);
		if(step.anew)
			forget_rejections(slot);
		step.until = now + step_patience;
		step.row = escalations_handed_in();
		store()->writer_waker.wake();
		beginning_.insert_or_assign(slot, std::move(step));
	} else {
		count(count_escalation_nobody);
	}
	arm(slot, after);
}

void Escalator::hand_in(Index slot, const Step &step, TimeUs due, TimeUs base) const
{
	const TimeUs to_wall = wall_now() - mono_now();
	EscalationRow row{};
	row.alert = tracked_.at(slot).alert;
	row.due_at = due + to_wall;
	row.begun_at = wall_now();
	row.base_at = base + to_wall;
	row.number = step.number + 1;
	row.step = static_cast<std::uint32_t>(step.index + 1);
	row.round = round_of(step.policy, step.number);
	row.people = static_cast<std::uint32_t>(step.reached.feeds.size());
	copy_text(row.policy, sizeof row.policy, step.policy.name);
	copy_text(row.whom, sizeof row.whom, step.reached.whom);
	copy_text(row.how, sizeof row.how, how_text(step.what().how));
	copy_text(row.why, sizeof row.why, step.reached.why);
	bool room = true;
	for(const std::string &feed : step.reached.feeds) {
		if(step.what().whom == Whom::responsible)
			break; // their feeds show it by themselves
		copy_text(row.feed, sizeof row.feed, feed);
		room = journal_escalation(row) && room;
	}
	row.feed[0] = '\0';
	if(!journal_escalation(row) || !room)
		complain(count_escalation_rows_lost,
				"steps of escalations find no room to wait for the database");
}

void Escalator::make_known_what_is_stored(TimeUs now)
{
	const std::uint64_t stored = escalations_stored();
	for(auto at = beginning_.begin(); at != beginning_.end();) {
		auto &[slot, step] = *at;
		const bool durable = step.row <= stored;
		if(!durable && !step.known() && now < step.until) {
			++at;
			continue;
		}
		if(!durable && !step.known())
			count(count_escalation_not_durable);
		if(attempt([&, slot = slot, &step = step] { make_known(slot, step); })) {
			at = beginning_.erase(at);
			continue;
		}
		step.row = std::numeric_limits<std::uint64_t>::max();
		step.until = now + retry_pause;
		++at;
	}
}

// The one effect of a step: their feeds show the alert, everybody learns that it was escalated.  Of
// an alert that rests it stays unfinished.
void Escalator::make_known(Index slot, const Step &step)
{
	Store &s = *store();
	const AlertRec &alert = s.alerts[slot];
	const Uuid id = tracked_.at(slot).alert;
	const std::shared_lock<RwLock> registry(s.registry_lock);
	const Index device = std::atomic_ref<const Index>(alert.device).load(std::memory_order_relaxed);
	const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
	if(alert.device != device || alert.id != id || escalation_wanted(alert) != Wanted::go_on)
		return;
	if(step.known())
		return ask_for_messages(alert, step);
	const std::array<Step, 2> parts = show(slot, device, step);
	const std::string through = label(step.number);
	const std::string why =
			"policy " + step.policy.name + ": " + step.reached.whom + ": " + step.reached.why;
	constexpr auto finished = static_cast<std::uint8_t>(~escalation_unfinished);
	if((s.escalation[slot].flags.fetch_and(finished) & escalation_unfinished) == 0)
		return; // it was, before something failed
	if(escalate_alert(slot, step.number + 1, through, why))
		for(const Step &part : parts)
			ask_for_messages(alert, part);
}

// From now on their feeds show the alert.  Then those of them for whom there was no room: a
// subscription does not tell them, so they get a message whatever the step says.
std::array<Escalator::Step, 2> Escalator::show(Index slot, Index device, const Step &step) const
{
	std::array<Step, 2> parts{step, step};
	std::vector<std::string> &seen = parts[0].reached.feeds;
	std::vector<std::string> &unseen = parts[1].reached.feeds;
	seen.clear();
	unseen.clear();
	// of a storm who is responsible sees those devices only
	const bool own = store()->alerts[slot].condition == Condition::storm
					 && step.what().whom == Whom::responsible;
	const RecipientFlag why = own ? recipient_devices : recipient_called;
	for(const std::string &name : step.reached.feeds) {
		const Index feed = find_feed(name);
		const bool shown =
				feed == 0 || carries(feed, device)
				|| add_recipient(tracked_.at(slot).alert, slot, feed, why) != Addition::no_room;
		(shown ? seen : unseen).push_back(name);
	}
	std::uint8_t &how = parts[1].policy.steps[step.index].how;
	how = static_cast<std::uint8_t>((how & ~how_subscribe) | how_message);
	if(seen.empty())
		count(count_escalation_nobody);
	return parts;
}

void Escalator::ask_for_messages(const AlertRec &alert, const Step &step)
{
	const std::uint8_t how = step.what().how;
	if((how & (how_message | how_call)) == 0)
		return;
	const Watching watching(alert);
	for(const std::string &name : step.reached.feeds) {
		for(const std::uint8_t bit : {how_message, how_call}) {
			// who has a subscription needs no message beside it
			const bool told =
					bit == how_message && (how & how_subscribe) != 0 && watching.has(name);
			if((how & bit) != 0 && !told && !name.starts_with("grp."))
				ask(alert, step, name, bit);
		}
	}
}

} // namespace bmd
