/// @file escalation.cpp  Policies and the plan of an alert.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/escalation.hpp"

#include <algorithm>
#include <array>

namespace bmd {

namespace {

constexpr DurationUs minute = 60 * second_us;
constexpr DurationUs late = 2 * second_us; // what is no more than this is not late

constexpr std::array<std::string_view, 6> whom_words = {
		"", "responsible", "on-call", "team", "person", "group"};

bool fits(const EscalationPolicy &policy, const EscalationSubject &subject, const Zone &hospital)
{
	if(policy.steps.empty() || (policy.priority && *policy.priority != subject.priority))
		return false;
	if(!policy.device_type.empty() && policy.device_type != subject.device_type)
		return false;
	const auto &groups = subject.groups;
	if(!policy.group.empty()
			&& std::find(groups.begin(), groups.end(), policy.group) == groups.end())
		return false;
	return within(policy.hours, hospital, subject.raised_at);
}

int specificity(const EscalationPolicy &policy) noexcept
{
	return (policy.group.empty() ? 0 : 8) + (policy.device_type.empty() ? 0 : 4)
		   + (policy.priority ? 2 : 0) + (policy.hours.always() ? 0 : 1);
}

DurationUs offset(const EscalationPolicy &policy, std::uint32_t n) noexcept
{
	return policy.steps[step_index(policy, n)].after
		   + static_cast<DurationUs>(round_of(policy, n)) * policy.repeat;
}

// From the step before it to step `n`, which is not the first.
DurationUs interval(const EscalationPolicy &policy, std::uint32_t n) noexcept
{
	return round_of(policy, n) > 0 ? policy.repeat
								   : policy.steps[n].after - policy.steps[n - 1].after;
}

} // namespace

std::string_view to_string(Whom whom) noexcept
{
	return whom_words[static_cast<std::size_t>(whom)];
}

std::optional<Whom> parse_whom(std::string_view text) noexcept
{
	for(std::size_t i = 1; i < whom_words.size(); ++i)
		if(whom_words[i] == text)
			return static_cast<Whom>(i);
	return std::nullopt;
}

std::string how_text(std::uint8_t how)
{
	std::string text;
	const auto add = [&](How bit, const char *word) {
		if((how & bit) != 0)
			text += (text.empty() ? "" : "+") + std::string(word);
	};
	add(how_subscribe, "subscribe");
	add(how_message, "message");
	add(how_call, "call");
	return text;
}

EscalationPolicy default_policy(Priority priority)
{
	const DurationUs pace = priority == Priority::high     ? 30 * second_us
							: priority == Priority::medium ? 3 * minute
														   : 15 * minute;
	constexpr std::uint8_t quiet = how_subscribe | how_message;
	EscalationPolicy policy;
	policy.name = "default";
	policy.repeat = pace;
	policy.steps = {{0, Whom::responsible, {}, quiet}, {pace, Whom::on_call, {}, quiet},
			{2 * pace, Whom::team, {}, quiet | how_call}};
	return policy;
}

EscalationPolicy policy_for(const std::vector<EscalationPolicy> &policies,
		const EscalationSubject &subject, const Zone &hospital)
{
	const EscalationPolicy *best = nullptr;
	for(const EscalationPolicy &policy : policies) {
		if(!fits(policy, subject, hospital))
			continue;
		const int better = best == nullptr ? 1 : specificity(policy) - specificity(*best);
		if(better > 0 || (better == 0 && policy.id < best->id))
			best = &policy;
	}
	return best == nullptr ? default_policy(subject.priority) : *best;
}

std::string why_policy(const EscalationPolicy &policy)
{
	if(policy.id == 0)
		return "built in: no other fits";
	std::string text;
	const auto add = [&](bool is, const char *word) {
		if(is)
			text += (text.empty() ? "" : ", ") + std::string(word);
	};
	add(!policy.group.empty(), "group");
	add(!policy.device_type.empty(), "device type");
	add(policy.priority.has_value(), "priority");
	add(!policy.hours.always(), "hours");
	return text.empty() ? "for every alert" : "fits by " + text;
}

std::size_t step_index(const EscalationPolicy &policy, std::uint32_t n) noexcept
{
	return std::min<std::size_t>(n, policy.steps.size() - 1);
}

std::uint32_t round_of(const EscalationPolicy &policy, std::uint32_t n) noexcept
{
	return n - static_cast<std::uint32_t>(step_index(policy, n));
}

TimeUs due_at(const EscalationPolicy &policy, const EscalationProgress &progress) noexcept
{
	const std::uint32_t next = progress.begun;
	const TimeUs due = progress.base + offset(policy, next);
	if(next == 0 || progress.last == 0)
		return due;
	const TimeUs after_last = progress.last + interval(policy, next);
	return round_of(policy, next) > 0 ? after_last : std::min(due, after_last);
}

EscalationProgress begin_step(
		const EscalationPolicy &policy, const EscalationProgress &progress, TimeUs now) noexcept
{
	const TimeUs due = due_at(policy, progress);
	const TimeUs at = now - due > late ? now : due;
	return {progress.begun + 1, at - offset(policy, progress.begun), at};
}

EscalationProgress hasten(
		const EscalationPolicy &policy, const EscalationProgress &progress, TimeUs now) noexcept
{
	EscalationProgress next = progress;
	next.base = now - offset(policy, next.begun);
	if(next.begun > 0)
		next.last = now - interval(policy, next.begun);
	return next;
}

} // namespace bmd
