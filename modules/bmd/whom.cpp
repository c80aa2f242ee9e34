/// @file whom.cpp  Who the people of an escalation step are.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "whom.hpp"

#include <algorithm>

#include "feeds.hpp"

#include "permits.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "storm.hpp"

namespace bmd {

namespace {

constexpr std::string_view group_prefix = "grp.";

void add_once(std::vector<std::string> &list, const std::string &word)
{
	if(std::find(list.begin(), list.end(), word) == list.end())
		list.push_back(word);
}

std::string joined(const std::vector<std::string> &words)
{
	std::string text;
	for(const std::string &word : words)
		text += (text.empty() ? "" : ", ") + word;
	return text;
}

void add_on_call(const Duty &duty, const std::string &team, TimeUs at, Reached &reached)
{
	const auto say = [&](const std::string &words) {
		reached.why += (reached.why.empty() ? "" : "; ") + words;
	};
	const Roster *roster = duty.find_roster(team);
	if(roster == nullptr)
		return say("team " + team + " has no roster");
	const auto now = on_call_now(*roster, at);
	if(!now)
		return say("team " + team + ": " + now.error().reason);
	if(now->person.empty())
		return say("nobody of team " + team + ": " + now->why);
	add_once(reached.feeds, now->person);
	say(now->person + " (" + team + ", " + now->why + ")");
}

void add_team(const Duty &duty, const std::string &name, Reached &reached)
{
	const Team *team = duty.find_team(name);
	const auto count = team == nullptr ? 0 : team->members.size();
	if(count > 0)
		for(const std::string &member : team->members)
			add_once(reached.feeds, member);
	reached.why += (reached.why.empty() ? "" : "; ") + std::to_string(count) + " of team " + name;
}

// Is there anybody who sees this feed?  Who is disabled has none; a group may have devices only.
bool seen_by_somebody(const std::string &name) noexcept
{
	const Index i = find_feed(name);
	if(i == 0)
		return false;
	const FeedRec &feed = store()->feeds[i];
	return !feed.is_group || feed.watchers > 0;
}

// Is the person's policy against it?  Who would not see the alert cannot be counted on.
bool is_kept_from(const std::string &name, const DeviceTies &ties)
{
	const Permits permits;
	if(name.starts_with(group_prefix) || !permits.restricts(name))
		return false;
	return ties.device != 0 ? !permits.in_person(name, ties.device)
							: ties.alert && !permits.in_person(name, *ties.alert);
}

void keep_seen(Reached &reached, const DeviceTies &ties)
{
	std::string missing;
	std::string empty;
	std::string barred;
	std::erase_if(reached.feeds, [&](const std::string &name) {
		const bool seen = seen_by_somebody(name);
		if(seen && !is_kept_from(name, ties))
			return false;
		std::string &list = seen ? barred : name.starts_with(group_prefix) ? empty : missing;
		list += (list.empty() ? "" : ", ") + name;
		return true;
	});
	if(!missing.empty())
		reached.why = "disabled or unknown: " + missing + "; " + reached.why;
	if(!empty.empty())
		reached.why = "nobody may watch " + empty;
	if(!barred.empty())
		reached.why = "may not see it by policy: " + barred + "; " + reached.why;
}

void add_tie(const FeedRec &feed, DeviceTies &ties)
{
	if(!feed.is_group)
		ties.responsible.emplace_back(feed.name);
	else if(const std::int32_t team = team_of(feed); team != 0)
		ties.teams.push_back(team);
	else if(const std::string_view group = group_of(feed); !group.empty())
		ties.groups.emplace_back(group);
}

} // namespace

DeviceTies ties_of(Index device)
{
	const Store &s = *store();
	DeviceTies ties;
	ties.device = device;
	ties.type = s.types[s.devices[device].type].name;
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		add_tie(s.feeds[s.members[e].feed], ties);
	return ties;
}

std::optional<DeviceTies> ties_of(const AlertRec &alert)
{
	DeviceTies ties;
	ties.alert = alert;
	if(alert.condition == Condition::withheld)
		return ties; // so the default team's
	if(alert.condition != Condition::storm) {
		const Index device = find_device(alert.serial);
		return device == 0 ? std::nullopt : std::optional(ties_of(device));
	}
	if(!is_ready(alert))
		return std::nullopt;
	for(const Index feed : recipients_of(alert.id, recipient_devices))
		add_tie(store()->feeds[feed], ties);
	ties.orphans = has_orphans(alert);
	return ties;
}

bool is_of_team(const Duty &duty, const FeedRec &feed)
{
	if(const std::int32_t team = team_of(feed); team != 0)
		return duty.find_team(team) != nullptr;
	const std::string_view group = group_of(feed);
	return std::ranges::any_of(
			duty.group_teams, [group](const GroupTeam &pair) { return pair.group == group; });
}

std::vector<std::string> teams_of(const Duty &duty, const DeviceTies &ties)
{
	std::vector<std::string> names;
	for(const std::int32_t number : ties.teams)
		if(const Team *team = duty.find_team(number); team != nullptr)
			add_once(names, team->name);
	for(const GroupTeam &pair : duty.group_teams)
		if(std::find(ties.groups.begin(), ties.groups.end(), pair.group) != ties.groups.end())
			add_once(names, pair.team);
	if((names.empty() || ties.orphans) && !duty.default_team.empty())
		add_once(names, duty.default_team);
	std::sort(names.begin(), names.end());
	return names;
}

Reached reach(const Duty &duty, const EscalationStep &step, const DeviceTies &ties, TimeUs at)
{
	Reached reached;
	const bool of_team = step.whom == Whom::on_call || step.whom == Whom::team;
	const std::vector<std::string> teams = !of_team            ? std::vector<std::string>()
										   : step.name.empty() ? teams_of(duty, ties)
															   : std::vector{step.name};
	switch(step.whom) {
		case Whom::responsible:
			reached.whom = "responsible technicians";
			reached.feeds = ties.responsible;
			break;
		case Whom::on_call:
			reached.whom = "on call of team " + joined(teams);
			for(const std::string &team : teams)
				add_on_call(duty, team, at, reached);
			break;
		case Whom::team:
			reached.whom = "team " + joined(teams);
			for(const std::string &team : teams)
				add_team(duty, team, reached);
			break;
		case Whom::person:
			reached.whom = "person " + step.name;
			reached.feeds = {step.name};
			break;
		case Whom::group:
			reached.whom = "feed of group " + step.name;
			reached.feeds = {std::string(group_prefix) + step.name};
			break;
	}
	if(of_team && teams.empty()) {
		reached.whom += "(none)";
		reached.why = "no team is responsible for the device, and there is no default team";
	}
	if(reached.why.empty())
		reached.why = reached.feeds.empty() ? "nobody is responsible for the device"
											: joined(reached.feeds);
	keep_seen(reached, ties);
	return reached;
}

StepPeople people_of(const Duty &duty, const EscalationPolicy &policy, const DeviceTies &ties,
		std::uint32_t n, TimeUs at)
{
	StepPeople people;
	const bool repeated = round_of(policy, n) > 0;
	for(people.index = step_index(policy, n);; --people.index) {
		const EscalationStep &step = policy.steps[people.index];
		people.how |= step.how;
		people.reached = reach(duty, step, ties, at);
		if(!people.reached.feeds.empty() || !repeated || people.index == 0)
			return people;
	}
}

std::vector<PlannedStep> plan_of(const Duty &duty, const EscalationPolicy &policy,
		const DeviceTies &ties, EscalationProgress progress, TimeUs earliest)
{
	std::vector<PlannedStep> plan;
	const auto size = static_cast<std::uint32_t>(policy.steps.size());
	for(const std::uint32_t last = std::max(progress.begun, size); progress.begun <= last;) {
		PlannedStep step;
		step.number = progress.begun;
		step.at = std::max(due_at(policy, progress), earliest);
		step.people = people_of(duty, policy, ties, step.number, step.at);
		progress = begin_step(policy, progress, step.at);
		if(step.people.reached.feeds.empty())
			progress = hasten(policy, progress, step.at);
		plan.push_back(std::move(step));
	}
	return plan;
}

EscalationPolicy policy_of(
		const Duty &duty, const DeviceTies &ties, Priority priority, TimeUs raised_at)
{
	const auto zone = Zone::find(duty.zone);
	return policy_for(duty.policies, {priority, ties.type, ties.groups, raised_at},
			zone ? *zone : Zone::utc());
}

} // namespace bmd
