/// @file whom.hpp  Who the people of an escalation step are, for a device and a moment.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bmd/duty.hpp"
#include "store.hpp"

namespace bmd {

/// What escalation has to know of a device.
struct DeviceTies
{
	std::string type;
	std::vector<std::string> groups;      ///< names, without "grp."
	std::vector<std::string> responsible; ///< user names
	std::vector<std::int32_t> teams;      ///< responsible for the device itself: numbers
	bool orphans = false;                 ///< of a storm: one of its devices has no team
	Index device = 0;                     ///< 0: of an alert that is of no device
	std::optional<AlertRec> alert;        ///< that one
};

/// Caller holds the registry lock.
[[nodiscard]] DeviceTies ties_of(Index device);

/// Of the device of an alert; of a storm those of all its devices.  nullopt: the device has gone,
/// or the storm has no devices yet.
[[nodiscard]] std::optional<DeviceTies> ties_of(const AlertRec &alert);

/// Is one of the feeds of a device that of a team, or of a group that a team is responsible for?
[[nodiscard]] bool is_of_team(const Duty &duty, const FeedRec &feed);

/// Names of the teams of a device: those responsible for it or one of its groups; without any the
/// default team, as of a storm with such a device.
[[nodiscard]] std::vector<std::string> teams_of(const Duty &duty, const DeviceTies &ties);

/// Whom a step reaches.
struct Reached
{
	std::string whom;               ///< the step in words: "on call of team night"
	std::vector<std::string> feeds; ///< user names, or grp.NAME; empty: nobody
	std::string why;                ///< who that is and why, or why nobody
};

/// Who is disabled is nobody, nor is a group that nobody may watch.  Caller holds the registry
/// lock.
[[nodiscard]] Reached reach(
		const Duty &duty, const EscalationStep &step, const DeviceTies &ties, TimeUs at);

/// Whom step number n of an alert (from 0) reaches.
struct StepPeople
{
	std::size_t index = 0; ///< of policy.steps
	Reached reached;
	std::uint8_t how = 0; ///< of that step, and of those it stands for
};

/// What is repeated is the last step that reaches anybody; in its place and in all their ways.
/// Caller holds the registry lock.
[[nodiscard]] StepPeople people_of(const Duty &duty, const EscalationPolicy &policy,
		const DeviceTies &ties, std::uint32_t n, TimeUs at);

struct PlannedStep
{
	std::uint32_t number = 0; ///< from 0
	TimeUs at = 0;            ///< on the clock of `progress`
	StepPeople people;
};

/// The steps that come, the first repetition among them, if nothing changes: who finds nobody is
/// passed at once.  None begins before `earliest`.  Wall clock.  Caller holds the registry lock.
[[nodiscard]] std::vector<PlannedStep> plan_of(const Duty &duty, const EscalationPolicy &policy,
		const DeviceTies &ties, EscalationProgress progress, TimeUs earliest);

/// The policy of an alert of this device.
[[nodiscard]] EscalationPolicy policy_of(
		const Duty &duty, const DeviceTies &ties, Priority priority, TimeUs raised_at);

} // namespace bmd
