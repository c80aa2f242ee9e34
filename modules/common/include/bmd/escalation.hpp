/// @file escalation.hpp  Whom an alert goes to next, when, and how: policies and their steps.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: times are passed in.  Who a step's people are, the caller finds out.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/alert.hpp"
#include "bmd/civil.hpp"

namespace bmd {

enum class Whom : std::uint8_t
{
	responsible = 1, ///< the technicians responsible for the device
	on_call = 2,     ///< who is on call for a team
	team = 3,        ///< everybody of a team
	person = 4,
	group = 5 ///< whoever watches the feed of a group
};

/// Ways to tell somebody, as bits.
enum How : std::uint8_t
{
	how_subscribe = 1,
	how_message = 2,
	how_call = 4
};

[[nodiscard]] std::string_view to_string(Whom whom) noexcept;
[[nodiscard]] std::optional<Whom> parse_whom(std::string_view text) noexcept;
/// "subscribe+message".
[[nodiscard]] std::string how_text(std::uint8_t how);

struct EscalationStep
{
	DurationUs after = 0; ///< since the alert was raised; not less than the step before
	Whom whom = Whom::responsible;
	std::string name; ///< team, person or group; a team's may be empty: those of the device
	std::uint8_t how = how_subscribe;
};

/// What a policy is for: absent and empty ones do not matter.
struct EscalationPolicy
{
	std::int32_t id = 0; ///< 0: built in
	std::string name;
	std::optional<Priority> priority;
	std::string device_type;
	std::string group;
	Hours hours;                        ///< when the alert is raised, by the hospital's clock
	DurationUs repeat = 30 * second_us; ///< of the last step, until somebody answers; more than 0
	std::vector<EscalationStep> steps;  ///< at least one
};

/// The alert a policy is looked for.
struct EscalationSubject
{
	Priority priority = Priority::high;
	std::string_view device_type;
	std::vector<std::string> groups; ///< of its device
	TimeUs raised_at = 0;
};

/// high 30 s, medium 3 min, low 15 min: the responsible technicians at once, after that time who is
/// on call, after twice that the whole team, again and again.
[[nodiscard]] EscalationPolicy default_policy(Priority priority);

/// The most specific policy that fits: one that names a group before one that names none, then
/// device type, priority, hours; of equals the one with the lowest id.  The built-in one when none
/// fits.
[[nodiscard]] EscalationPolicy policy_for(const std::vector<EscalationPolicy> &policies,
		const EscalationSubject &subject, const Zone &hospital);

/// "group, priority": what the policy asks for, in words.
[[nodiscard]] std::string why_policy(const EscalationPolicy &policy);

/// How far the escalation of an alert has come.  Steps are counted through: after the last one its
/// repetitions.
struct EscalationProgress
{
	std::uint32_t begun = 0; ///< steps begun so far
	TimeUs base = 0;         ///< what `after` counts from: raised_at, moved by what happened since
	/// When the last step was due, or, of a late one, began: what the next one counts from,
	/// whatever policy the others were of.  0: not known.
	TimeUs last = 0;
};

/// Index into policy.steps of step number `n` (from 0), and how often it is a repetition.
[[nodiscard]] std::size_t step_index(const EscalationPolicy &policy, std::uint32_t n) noexcept;
[[nodiscard]] std::uint32_t round_of(const EscalationPolicy &policy, std::uint32_t n) noexcept;

/// When the next step is due: a repetition its interval after the last step, another at its time,
/// but no later than its interval after the last step.
[[nodiscard]] TimeUs due_at(
		const EscalationPolicy &policy, const EscalationProgress &progress) noexcept;

/// The next step begins.  One that comes late (the server was down, the policy changed) moves the
/// following ones, so that they do not come all at once.
[[nodiscard]] EscalationProgress begin_step(
		const EscalationPolicy &policy, const EscalationProgress &progress, TimeUs now) noexcept;

/// The next step is due now: somebody rejected the alert, or a step found nobody.
[[nodiscard]] EscalationProgress hasten(
		const EscalationPolicy &policy, const EscalationProgress &progress, TimeUs now) noexcept;

} // namespace bmd
