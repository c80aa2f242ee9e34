/// @file duty.hpp  Teams, rosters and policies of a hospital: all that decides who is called.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// As text it fits into any memory that processes share.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bmd/escalation.hpp"
#include "bmd/roster.hpp"

namespace bmd {

struct Team
{
	std::int32_t id = 0;
	std::string name;
	std::vector<std::string> members; ///< enabled ones
};

/// A team is responsible for a group of devices.
struct GroupTeam
{
	std::string group;
	std::string team;
};

struct Duty
{
	std::string zone = "Etc/UTC"; ///< the hospital's
	std::string default_team;     ///< of devices without a team of their own; empty: none
	std::vector<Team> teams;
	std::vector<GroupTeam> group_teams;
	std::vector<Roster> rosters;
	std::vector<EscalationPolicy> policies;

	[[nodiscard]] const Team *find_team(std::string_view name) const noexcept;
	[[nodiscard]] const Team *find_team(std::int32_t id) const noexcept;
	/// nullptr: the team has no roster.
	[[nodiscard]] const Roster *find_roster(std::string_view team) const noexcept;
};

/// Lines of fields with tabs between them; no name may hold control characters.
[[nodiscard]] std::string write_duty(const Duty &duty);
/// Errors: malformed, with the number of the line.
[[nodiscard]] Result<Duty> read_duty(std::string_view text);

} // namespace bmd
