/// @file policy.cpp  Who may see what: which rule decides.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/policy.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace bmd {

namespace {

// Of those who are not named themselves roles and teams count alike.  The built-in rule stands
// between them and rules for anyone.
constexpr int of_the_responsible = 2;

int rank(PolicyWatcher watcher) noexcept
{
	switch(watcher) {
		case PolicyWatcher::person:
			return 0;
		case PolicyWatcher::role:
		case PolicyWatcher::team:
			return 1;
		default:
			return of_the_responsible + 1;
	}
}

bool is_timed(const PolicyRule &rule) noexcept
{
	return rule.from != 0 || rule.until != 0 || !rule.hours.always();
}

// The less is shown, the smaller.
int openness(const Shown &shown) noexcept
{
	return shown.alerts ? 1 + static_cast<int>(shown.identity) + static_cast<int>(shown.location)
						: 0;
}

// Of the rules that fit the smallest decides.
auto order_of(const PolicyRule &rule)
{
	const std::uint32_t most = rule.most == 0 ? UINT32_MAX : rule.most;
	return std::tuple(rank(rule.watcher), rule.resource, !is_timed(rule),
			-static_cast<int>(rule.decision), openness(rule.shown), most, rule.id);
}

// Names of hosts; rules have them in small letters.
bool same_host(std::string_view rule, std::string_view host) noexcept
{
	return std::ranges::equal(rule, host, [](char r, char h) {
		return r == (h >= 'A' && h <= 'Z' ? static_cast<char>(h + ('a' - 'A')) : h);
	});
}

bool among(const std::vector<std::string_view> &names, std::string_view name)
{
	return std::ranges::find(names, name) != names.end();
}

bool is_about(const PolicyRule &rule, const PolicyTarget &target)
{
	switch(rule.resource) {
		case PolicyResource::device:
			return rule.what == target.serial;
		case PolicyResource::patient:
			return rule.what == target.patient;
		case PolicyResource::feed:
			return rule.what == target.feed;
		case PolicyResource::group:
			return among(target.groups, rule.what);
		case PolicyResource::area:
			return among(target.areas, rule.what);
		case PolicyResource::type:
			return rule.what == target.type;
		case PolicyResource::everything:
			return true;
	}
	return false;
}

Verdict built_in(const PolicyPerson &person)
{
	Verdict verdict;
	if(person.responsible) {
		verdict.decision = Decision::allow;
		verdict.decided = verdict.built_in = true;
	}
	return verdict;
}

std::string how_it_decides(const PolicyRule &rule, const Verdict &verdict)
{
	if(rule.decision != Decision::confirm)
		return "decides";
	return !verdict.answered  ? "decides: nobody has answered yet"
		   : verdict.allows() ? "decides: approved"
							  : "decides: refused";
}

PolicyStep built_in_step(const PolicyPerson &person, bool decided)
{
	return {0, "built-in: who is responsible, or was called, may see it",
			person.responsible && !decided,
			!person.responsible ? "not responsible for it"
			: decided           ? "a rule before it decides"
								: "decides: responsible for it"};
}

} // namespace

Policy::Policy(std::vector<PolicyRule> rules, std::vector<Pair> members,
		std::map<Pair, bool> answers, std::string zone)
	: rules_(std::move(rules)), members_(std::move(members)), answers_(std::move(answers)),
	  zone_name_(std::move(zone))
{
	std::ranges::sort(rules_, {}, order_of);
	std::ranges::sort(members_);
	if(const auto found = Zone::find(zone_name_); found)
		zone_ = *found;
}

bool Policy::is_for(const PolicyRule &rule, const PolicyPerson &person) const
{
	const bool ours = person.domain.empty();
	switch(rule.watcher) {
		case PolicyWatcher::person:
			return ours && rule.who == person.user;
		case PolicyWatcher::role:
		case PolicyWatcher::team:
			return ours
				   && std::ranges::binary_search(
						   members_, Pair(std::string(to_string(rule.watcher)) + ' ' + rule.who,
											 std::string(person.user)));
		case PolicyWatcher::anyone:
			return ours;
		case PolicyWatcher::domain:
			return !ours && (rule.who == "*" || same_host(rule.who, person.domain));
	}
	return false;
}

bool Policy::in_force(const PolicyRule &rule, TimeUs at) const
{
	return (rule.from == 0 || rule.from <= at) && (rule.until == 0 || at < rule.until)
		   && within(rule.hours, zone_, at);
}

std::vector<std::size_t> Policy::rules_for(const PolicyPerson &person) const
{
	std::vector<std::size_t> places;
	for(std::size_t i = 0; i < rules_.size(); ++i)
		if(is_for(rules_[i], person)
				&& (!person.responsible || rank(rules_[i].watcher) < of_the_responsible))
			places.push_back(i);
	return places;
}

// Empty: it fits.
std::string Policy::why_not(const PolicyRule &rule, const PolicyPerson &person,
		const PolicyTarget &target, TimeUs at) const
{
	if(!is_for(rule, person))
		return "is for others";
	if(!is_about(rule, target))
		return "is about something else";
	return in_force(rule, at) ? "" : "not in force now";
}

// An answer stands for the feed that was asked for, or for the device's.
Verdict Policy::verdict_of(
		const PolicyRule &rule, const PolicyPerson &person, const PolicyTarget &target) const
{
	Verdict verdict{rule.decision, rule.shown, rule.most, rule.id, true, false, false};
	if(rule.decision != Decision::confirm)
		return verdict;
	std::string user(person.user);
	if(!person.domain.empty())
		user.append("@").append(person.domain);
	auto answer = answers_.find({user, std::string(target.feed)});
	if(answer == answers_.end() && !target.serial.empty())
		answer = answers_.find({user, "dev." + std::string(target.serial)});
	if(answer == answers_.end())
		return verdict;
	verdict.answered = true;
	verdict.decision = answer->second ? Decision::allow : Decision::block;
	return verdict;
}

Verdict Policy::try_rules(const PolicyPerson &person, const PolicyTarget &target, TimeUs at,
		std::span<const std::size_t> places, std::vector<PolicyStep> *steps) const
{
	Verdict verdict;
	Verdict guise; // of whom is blocked politely
	const auto open = [&]() -> Verdict * {
		if(!verdict.decided)
			return &verdict;
		return verdict.decision == Decision::polite_block && !guise.decided ? &guise : nullptr;
	};
	bool passed_built_in = false;
	const auto pass_built_in = [&] {
		if(std::exchange(passed_built_in, true))
			return;
		if(steps != nullptr)
			steps->push_back(built_in_step(person, verdict.decided));
		if(Verdict *const next = open(); next != nullptr)
			*next = built_in(person);
	};
	for(const std::size_t i : places) {
		const PolicyRule &rule = rules_[i];
		if(rank(rule.watcher) > of_the_responsible)
			pass_built_in();
		if(open() == nullptr && steps == nullptr)
			break;
		std::string why = why_not(rule, person, target, at);
		const bool decides = why.empty() && !verdict.decided;
		if(decides) {
			verdict = verdict_of(rule, person, target);
			why = how_it_decides(rule, verdict);
		} else if(why.empty()) {
			if(open() != nullptr && rule.decision != Decision::polite_block)
				guise = verdict_of(rule, person, target);
			why = "fits, but a rule before it decides";
		}
		if(steps != nullptr)
			steps->push_back({rule.id, in_words(rule), decides, std::move(why)});
	}
	pass_built_in();
	if(guise.allows() || guise.decision == Decision::confirm) {
		verdict.shown = guise.shown;
		verdict.most = guise.most;
	}
	return verdict;
}

Verdict Policy::decide(const PolicyPerson &person, const PolicyTarget &target, TimeUs at,
		std::span<const std::size_t> places) const
{
	return try_rules(person, target, at, places, nullptr);
}

Verdict Policy::explain(const PolicyPerson &person, const PolicyTarget &target, TimeUs at,
		std::vector<PolicyStep> &steps) const
{
	std::vector<std::size_t> all(rules_.size());
	std::iota(all.begin(), all.end(), std::size_t{0});
	return try_rules(person, target, at, all, &steps);
}

TimeUs Policy::next_change(TimeUs at) const
{
	TimeUs next = 0;
	const auto look = [&](TimeUs edge) {
		if(edge > at && (next == 0 || edge < next))
			next = edge;
	};
	for(const PolicyRule &rule : rules_) {
		look(rule.from);
		look(rule.until);
		look(next_edge(rule.hours, zone_, at));
	}
	return next;
}

} // namespace bmd
