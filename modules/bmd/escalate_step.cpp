/// @file escalate_step.cpp  A step of an escalation: who it is for, written, made known.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <atomic>
#include <mutex>
#include <new>
#include <set>
#include <shared_mutex>

#include "answer.hpp"
#include "bmd_host.h"
#include "delivery.hpp"
#include "duty_text.hpp"
#include "escalate.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "subs.hpp"

namespace bmd {

namespace {

constexpr DurationUs patience = 300'000; // with the database: people come first
constexpr DurationUs early = 1'000;      // no earlier than this is early

// Only feeds that are there: people who are disabled have none.
void keep_known(Reached &reached)
{
	std::string missing;
	std::erase_if(reached.feeds, [&](const std::string &name) {
		const bool known = find_feed(name) != 0;
		if(!known)
			missing += (missing.empty() ? "" : ", ") + name;
		return !known;
	});
	if(!missing.empty())
		reached.why = "disabled or unknown: " + missing + "; " + reached.why;
}

bool shows(Index device, Index feed) noexcept
{
	const Store &s = *store();
	Index e = s.devices[device].first_member;
	while(e != 0 && s.members[e].feed != feed)
		e = s.members[e].next_of_device;
	return e != 0;
}

// Who has a live subscription to the device or to one of its groups.
std::set<std::string, std::less<>> watching(Index device)
{
	const Store &s = *store();
	std::set<std::string, std::less<>> users;
	const auto add = [&](const std::string &feed) {
		for(std::size_t slot = 0; slot < s.limits.notifiers; ++slot)
			for(const SubTarget &target : subs_of(feed, slot))
				users.emplace(target.user);
	};
	add("dev." + std::string(s.devices[device].serial));
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		if(const FeedRec &feed = s.feeds[s.members[e].feed]; feed.is_group && feed.watched.load())
			add(feed.name);
	return users;
}

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
	step.index = step_index(step.policy, step.number);
	const bool repeated = round_of(step.policy, step.number) > 0;
	// What is repeated is the last step that reaches anybody.
	for(;; --step.index) {
		step.reached = reach(*duty, step.what(), *ties, wall_now());
		keep_known(step.reached);
		if(!step.reached.feeds.empty() || !repeated || step.index == 0)
			return true;
	}
}

void Escalator::begin(Index slot)
{
	EscalationRec &rec = store()->escalation[slot];
	// one that still waits for the database, or that a stopped server had begun, comes first
	if(const auto before = beginning_.find(slot); before != beginning_.end()) {
		make_known(slot, before->second);
		beginning_.erase(before);
	}
	Step step;
	step.number = rec.begun;
	if(!prepare(slot, step))
		return look_at(slot, true);
	const TimeUs now = mono_now();
	const TimeUs due = due_at(step.policy, {rec.begun, rec.base});
	if(due > now + early) // the policy has changed
		return arm(slot, due);
	if(step.reached.feeds.empty() && round_of(step.policy, step.number) > 0)
		return nobody(slot, step);
	start(slot, std::move(step), due);
}

// No step reaches anybody: nothing is written again and again, but it is said.
void Escalator::nobody(Index slot, const Step &step)
{
	Store &s = *store();
	EscalationRec &rec = s.escalation[slot];
	const TimeUs now = mono_now();
	rec.flags.fetch_or(escalation_nobody);
	rec.base = hasten(step.policy, {rec.begun, rec.base}, now + step.policy.repeat).base;
	arm(slot, now + step.policy.repeat);
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

void Escalator::start(Index slot, Step step, TimeUs due)
{
	EscalationRec &rec = store()->escalation[slot];
	const TimeUs now = mono_now();
	const bool found = !step.reached.feeds.empty();
	EscalationProgress next = begin_step(step.policy, {rec.begun, rec.base}, now);
	if(step.known() && !tracked_.at(slot).suppressed)
		next.base = rec.base; // they have been told in time
	if(!found)
		next = hasten(step.policy, next, now);
	rec.begun = next.begun;
	rec.base = next.base;
	const bool unfinished = found && !step.known();
	rec.flags.fetch_and(escalation_hasten);
	if(unfinished)
		rec.flags.fetch_or(escalation_unfinished);
	arm(slot, due_at(step.policy, next));
	count(count_escalation_steps);
	if(!found)
		count(count_escalation_nobody);
	hand_in(slot, step, due);
	if(!found)
		return;
	step.until = now + patience;
	step.row = escalations_handed_in();
	store()->writer_waker.wake();
	beginning_[slot] = std::move(step);
}

void Escalator::hand_in(Index slot, const Step &step, TimeUs due) const
{
	Store &s = *store();
	const EscalationRec &rec = s.escalation[slot];
	const TimeUs to_wall = wall_now() - mono_now();
	EscalationRow row{};
	row.alert = tracked_.at(slot).alert;
	row.due_at = due + to_wall;
	row.begun_at = wall_now();
	row.base_at = rec.base + to_wall;
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
		const auto &[slot, step] = *at;
		const bool durable = step.row <= stored;
		if(!durable && !step.known() && now < step.until) {
			++at;
			continue;
		}
		if(!durable && !step.known())
			count(count_escalation_not_durable);
		make_known(slot, step);
		at = beginning_.erase(at);
	}
}

// The one effect of a step: their feeds show the alert, everybody learns that it was escalated.  Of
// an alert that rests it stays unfinished.
void Escalator::make_known(Index slot, const Step &step) const
{
	Store &s = *store();
	const AlertRec &alert = s.alerts[slot];
	const Uuid id = tracked_.at(slot).alert;
	const std::shared_lock<RwLock> registry(s.registry_lock);
	const Index device = std::atomic_ref<const Index>(alert.device).load(std::memory_order_relaxed);
	const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
	if(alert.device != device || alert.id != id || escalation_wanted(alert) != Wanted::go_on)
		return;
	s.escalation[slot].flags.fetch_and(static_cast<std::uint8_t>(~escalation_unfinished));
	if(step.known())
		return ask_for_messages(alert, step);
	// of a storm who is responsible sees those devices only
	const bool own = alert.condition == Condition::storm && step.what().whom == Whom::responsible;
	const RecipientFlag why_shown = own ? recipient_devices : recipient_called;
	for(const std::string &name : step.reached.feeds)
		if(const Index feed = find_feed(name); feed != 0 && !shows(device, feed))
			(void)add_recipient(id, slot, feed, why_shown);
	const std::string why =
			"policy " + step.policy.name + ": " + step.reached.whom + ": " + step.reached.why;
	if(escalate_alert(slot, step.number + 1, label(step.number), why))
		ask_for_messages(alert, step);
}

void Escalator::ask_for_messages(const AlertRec &alert, const Step &step) const
{
	Store &s = *store();
	const std::uint8_t how = step.what().how;
	if((how & (how_message | how_call)) == 0)
		return;
	const auto users = watching(alert.device);
	for(const std::string &name : step.reached.feeds) {
		for(const std::uint8_t bit : {how_message, how_call}) {
			// who has a subscription needs no message beside it
			const bool told = bit == how_message && (how & how_subscribe) != 0
							  && (users.contains(name) || has_subs(name));
			if((how & bit) == 0 || told || name.starts_with("grp."))
				continue;
			count(count_escalation_tasks);
			std::uint64_t ticket = 0;
			void *place = s.tasks.reserve(ticket);
			if(place == nullptr) {
				complain(count_escalation_tasks_lost,
						"messages and calls of escalations find no room to wait");
				continue;
			}
			auto &task = *new (place) SendTask{alert.id, alert.revision, step.number + 1,
					round_of(step.policy, step.number), bit, {}};
			copy_text(task.person, name_size, name);
			s.tasks.publish(ticket);
		}
	}
}

void drain_tasks() noexcept
{
	Store &s = *store();
	std::uint64_t at = s.tasks.tail();
	while(const auto *task = static_cast<const SendTask *>(s.tasks.next(at))) {
		count(count_escalation_tasks_not_sent);
		std::uint64_t place = 0;
		void *slot = s.deliveries.reserve(place);
		if(slot == nullptr) {
			count(count_deliveries_dropped);
			continue;
		}
		const TimeUs now = wall_now();
		auto &delivery = *new (slot) Delivery{
				task->alert, task->revision, not_sent, now, now, {}, {}, task->how};
		copy_text(delivery.user, name_size, task->person);
		s.deliveries.publish(place);
	}
	s.tasks.release(at);
}

} // namespace bmd
