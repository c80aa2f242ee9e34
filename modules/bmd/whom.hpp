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
	bool orphans = false; ///< of a storm: nobody is responsible for one of its devices
};

/// Caller holds the registry lock.
[[nodiscard]] DeviceTies ties_of(Index device);

/// Of the device of an alert; of a storm those of all its devices.  nullopt: the device has gone.
[[nodiscard]] std::optional<DeviceTies> ties_of(const AlertRec &alert);

/// Names of the teams of a device: those responsible for it or one of its groups; without any, and
/// without a responsible person, the default team, as of a storm with such a device.
[[nodiscard]] std::vector<std::string> teams_of(const Duty &duty, const DeviceTies &ties);

/// Whom a step reaches.
struct Reached
{
	std::string whom;               ///< the step in words: "on call of team night"
	std::vector<std::string> feeds; ///< user names, or grp.NAME; empty: nobody
	std::string why;                ///< who that is and why, or why nobody
};
[[nodiscard]] Reached reach(
		const Duty &duty, const EscalationStep &step, const DeviceTies &ties, TimeUs at);

/// The policy of an alert of this device.
[[nodiscard]] EscalationPolicy policy_of(
		const Duty &duty, const DeviceTies &ties, Priority priority, TimeUs raised_at);

} // namespace bmd
