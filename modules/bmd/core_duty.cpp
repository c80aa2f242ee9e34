/// @file core_duty.cpp  What kamcmd asks about rosters and escalation, behind bmd_core.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Needs no database: everything stands in shared memory.

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "answer.hpp"
#include "bmd_core.h"
#include "core_bridge.hpp"
#include "duty_text.hpp"
#include "escalation_wanted.hpp"
#include "held_words.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "whom.hpp"
#include "windows.hpp"

namespace {

using bmd::answered;
using bmd::Index;
using bmd::put;
using bmd::store;
using bmd::TimeUs;
using bmd::view_of;

struct Refusal
{
	int code;
	std::string reason;
};

// Empty: now.  False when it is no time.
bool time_of(std::string_view text, TimeUs &at)
{
	at = bmd::wall_now();
	if(text.empty())
		return true;
	const auto parsed = bmd::parse_time(text);
	if(parsed)
		at = *parsed;
	return parsed.ok();
}

Refusal granted()
{
	return {200, {}};
}

Refusal no_time()
{
	return {400, "AT is a time as in 2026-03-29T02:00:00+01:00"};
}

bmd_oncall_view show(const bmd::Roster &roster, TimeUs at)
{
	bmd_oncall_view view{};
	put(view.team, roster.team);
	put(view.zone, roster.zone);
	const auto now = bmd::on_call(roster, at);
	if(!now) {
		put(view.why, now.error().reason);
		return view;
	}
	const auto zone = bmd::Zone::find(roster.zone);
	put(view.person, now->person);
	put(view.why, now->why);
	put(view.at, zone->format(at));
	if(now->until != 0)
		put(view.until, zone->format(now->until));
	const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
	if(!now->person.empty() && bmd::find_feed(now->person) == 0)
		put(view.why, "disabled or unknown; " + now->why);
	return view;
}

// What is asked of a plan.
struct Question
{
	bmd::DeviceTies ties;
	std::string serial;
	bmd::Priority priority = bmd::Priority::high;
	bmd::EscalationProgress progress; ///< wall clock
	TimeUs raised_at = 0;
	TimeUs earliest = 0; ///< no step that comes begins before
};

std::string joined(const std::vector<std::string> &words)
{
	std::string text;
	for(const std::string &word : words)
		text += (text.empty() ? "" : ", ") + word;
	return text;
}

bmd_step_view show_step(const bmd::EscalationPolicy &policy, std::uint32_t n,
		const bmd::StepPeople &people, const char *state)
{
	bmd_step_view view{};
	view.number = n + 1;
	view.step = static_cast<unsigned int>(people.index + 1);
	view.round = bmd::round_of(policy, n);
	put(view.state, state);
	put(view.whom, people.reached.whom);
	put(view.how, bmd::how_text(people.how));
	return view;
}

// Whom it reached, and when, stands in the database.
bmd_step_view show_begun(const bmd::Duty &duty, const bmd::EscalationPolicy &policy,
		const bmd::DeviceTies &ties, std::uint32_t n)
{
	bmd::StepPeople people;
	people.index = bmd::step_index(policy, n);
	people.how = policy.steps[people.index].how;
	people.reached = bmd::reach(duty, policy.steps[people.index], ties, bmd::wall_now());
	bmd_step_view view = show_step(policy, n, people, "begun");
	put(view.why, "bmd_escalation says when, whom it reached and why");
	return view;
}

bmd_step_view show_planned(
		const bmd::EscalationPolicy &policy, const bmd::PlannedStep &step, const bmd::Zone &zone)
{
	bmd_step_view view = show_step(policy, step.number, step.people, "planned");
	put(view.at, zone.format(step.at));
	put(view.people, joined(step.people.reached.feeds));
	put(view.why, step.people.reached.why);
	return view;
}

// Fills the plan and shows its steps: all of the policy, and the next repetition.  Caller holds the
// registry lock.
std::vector<bmd_step_view> show_plan(const Question &question, bmd_plan_view &plan)
{
	const auto duty = bmd::duty_now();
	const bmd::DeviceTies &ties = question.ties;
	const auto policy = bmd::policy_of(*duty, ties, question.priority, question.raised_at);
	const auto found = bmd::Zone::find(duty->zone);
	const bmd::Zone zone = found ? *found : bmd::Zone::utc();
	put(plan.serial, question.serial);
	put(plan.type, ties.type);
	put(plan.priority, bmd::to_string(question.priority));
	put(plan.policy, policy.name);
	put(plan.why_policy, bmd::why_policy(policy));
	put(plan.raised_at, zone.format(question.raised_at));
	plan.begun = question.progress.begun;
	std::vector<bmd_step_view> steps;
	const auto size = static_cast<std::uint32_t>(policy.steps.size());
	for(std::uint32_t n = 0; n < std::min(question.progress.begun, size); ++n)
		steps.push_back(show_begun(*duty, policy, ties, n));
	for(const auto &step : bmd::plan_of(*duty, policy, ties, question.progress, question.earliest))
		steps.push_back(show_planned(policy, step, zone));
	return steps;
}

void show_recipients(const bmd::Uuid &id, bmd_plan_view &plan)
{
	std::vector<std::string> names;
	for(const Index feed : bmd::recipients_of(id))
		names.emplace_back(store()->feeds[feed].name);
	std::sort(names.begin(), names.end());
	put(plan.recipients, joined(names));
}

void show_response(const bmd::AlertRec &alert, const bmd::Zone &zone, bmd_plan_view &plan)
{
	const bmd::ResponseState &response = alert.response;
	put(plan.response, bmd::to_string(response.response));
	put(plan.by, response.by);
	if(response.at != 0)
		put(plan.since, zone.format(response.at));
	if(response.silenced_until != 0)
		put(plan.silenced_until, zone.format(response.silenced_until));
	put(plan.suppressed, bmd::to_string(response.suppressed));
}

Refusal explain(std::string_view word, bmd_plan_view &plan, std::vector<bmd_step_view> &steps)
{
	bmd::Store &s = *store();
	const std::shared_lock<bmd::RwLock> registry(s.registry_lock);
	bmd::AlertRec alert{};
	const Index slot = bmd::find_alert(word, alert);
	const auto ties = slot == 0 ? std::nullopt : bmd::ties_of(alert);
	if(!ties) {
		bmd::Answered unknown = bmd::unknown_alert(word);
		return {unknown.status, std::move(unknown.reason)};
	}
	Question question;
	question.ties = *ties;
	question.serial = alert.serial;
	const TimeUs to_wall = bmd::wall_now() - bmd::mono_now();
	const bmd::EscalationRec &rec = s.escalation[slot];
	const bool known = rec.alert == alert.id; // it may be a moment old only
	question.priority = alert.priority;
	question.raised_at = alert.raised_at;
	question.earliest = bmd::wall_now();
	question.progress = {known ? rec.begun : 0, known ? rec.base + to_wall : alert.raised_at};
	plan = {};
	put(plan.alert, bmd::to_string(alert.id));
	steps = show_plan(question, plan);
	const auto found = bmd::Zone::find(bmd::duty_now()->zone);
	const bmd::Zone zone = found ? *found : bmd::Zone::utc();
	if(known && rec.due != 0 && bmd::escalation_wanted(alert) == bmd::Wanted::go_on)
		put(plan.next_at, zone.format(rec.due + to_wall));
	show_response(alert, zone, plan);
	show_recipients(alert.id, plan);
	put(plan.held, bmd::held_words(alert.id, zone));
	return granted();
}

// When the first step begins: of what is raised within a maintenance window, at its end.
TimeUs after_windows(Index device, const Question &question, bmd_plan_view &plan)
{
	TimeUs begin = question.raised_at;
	bmd::WindowRec window{};
	while(bmd::find_window(device, begin, window)) {
		put(plan.suppressed, bmd::to_string(bmd::Suppression::maintenance));
		begin = window.until;
	}
	return begin;
}

Refusal dry_run(std::string_view serial, std::string_view priority, std::string_view at,
		bmd_plan_view &plan, std::vector<bmd_step_view> &steps)
{
	Question question;
	if(!time_of(at, question.raised_at))
		return no_time();
	const auto parsed = bmd::parse_priority(priority.empty() ? "high" : priority);
	if(!parsed)
		return {400, "PRIORITY is high, medium or low"};
	const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
	const Index device = bmd::find_device(serial);
	if(device == 0)
		return {404, "no such device is provisioned"};
	question.ties = bmd::ties_of(device);
	question.serial = serial;
	question.priority = *parsed;
	plan = {};
	question.progress.base = after_windows(device, question, plan);
	steps = show_plan(question, plan);
	put(plan.next_at, steps.front().at);
	return granted();
}

} // namespace

int bmd_core_oncall(bmd_text team, bmd_text at, bmd_each_oncall each, void *arg, char *reason,
		size_t reason_size)
{
	return answered(reason, reason_size, [&]() -> Refusal {
		const auto duty = bmd::duty_now();
		TimeUs moment = 0;
		if(!time_of(view_of(at), moment))
			return no_time();
		if(team.len > 0 && duty->find_roster(view_of(team)) == nullptr)
			return {404, duty->find_team(view_of(team)) == nullptr ? "there is no such team"
																   : "this team has no roster"};
		for(const bmd::Roster &roster : duty->rosters) {
			if(team.len > 0 && roster.team != view_of(team))
				continue;
			const bmd_oncall_view view = show(roster, moment);
			each(&view, arg);
		}
		return granted();
	});
}

int bmd_core_explain(bmd_text alert, bmd_plan_view *plan, bmd_each_step each, void *arg,
		char *reason, size_t reason_size)
{
	return answered(reason, reason_size, [&] {
		std::vector<bmd_step_view> steps;
		Refusal refusal = explain(view_of(alert), *plan, steps);
		for(const bmd_step_view &step : steps)
			each(&step, arg);
		return refusal;
	});
}

int bmd_core_dry_run(bmd_text serial, bmd_text priority, bmd_text at, bmd_plan_view *plan,
		bmd_each_step each, void *arg, char *reason, size_t reason_size)
{
	return answered(reason, reason_size, [&] {
		std::vector<bmd_step_view> steps;
		Refusal refusal = dry_run(view_of(serial), view_of(priority), view_of(at), *plan, steps);
		for(const bmd_step_view &step : steps)
			each(&step, arg);
		return refusal;
	});
}
