/// @file roster.hpp  Who is on call, and why: rosters with layers and overrides.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: times are passed in.  Where nobody is on call, that is the answer; nobody is guessed.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bmd/civil.hpp"

namespace bmd {

/// People who take turns.  Shifts follow each other on the wall clock, so one that spans a change
/// of the clocks is longer or shorter: a hand-over at 08:00 stays at 08:00.
struct RosterLayer
{
	std::string name;
	std::vector<std::string> rotation; ///< in turn; empty: the layer covers nothing
	CivilTime first_shift = 0;         ///< when the first one's first shift begins
	CivilTime shift = 7 * civil_day;   ///< length on the wall clock, more than 0
	Hours hours;                       ///< it covers only these
};

/// Somebody stands in, from `from` up to `until`.
struct RosterOverride
{
	std::int64_t id = 0; ///< of two made at the same time the larger is later
	std::string person;
	TimeUs from = 0;
	TimeUs until = 0;
	TimeUs created_at = 0;
};

/// Where several cover a moment: the override created last, else the last layer.
struct Roster
{
	std::string team;
	std::string zone; ///< whose wall clock the layers follow
	std::vector<RosterLayer> layers;
	std::vector<RosterOverride> overrides;
};

struct OnCall
{
	std::string person; ///< empty: nobody
	std::string why;    ///< "layer nights, turn 2 of 3"; of nobody, too
	TimeUs until = 0;   ///< when person or reason change next; 0: not within a year
};

/// Errors: malformed, when the roster's zone is unknown here.
[[nodiscard]] Result<OnCall> on_call(const Roster &roster, TimeUs at);

/// The same without `until`, which takes up to thousands of looks at the roster to find.
[[nodiscard]] Result<OnCall> on_call_now(const Roster &roster, TimeUs at);

} // namespace bmd
