/// @file dmp_subscribe.hpp  The words of a DMP Subscribe: Event expressions and Durations.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The draft has prose only for both; the grammar here is this project's.  What cannot be read is
/// refused with a reason, never guessed.  Does not know the catalogue: whether a variable exists
/// and whether a unit is the variable's own is for the caller to check.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bmd/alert.hpp"
#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd::dmp {

enum class Operator : std::uint8_t
{
	less,
	less_equal,
	greater,
	greater_equal,
	equal,
	not_equal
};

/// The sign itself: "<", "<=", ">", ">=", "=", "!=".
[[nodiscard]] std::string_view to_string(Operator op) noexcept;

/// One Event; which members hold depends on `kind`.
struct EventExpr
{
	enum class Kind : std::uint8_t
	{
		comparison, ///< VARIABLE OP NUMBER[UNIT], such as "SpO2 < 90%"
		condition,  ///< the words low, high, invalid, stale
		any,        ///< the word "any": every alert
		at_least    ///< "priority >= WORD"
	};
	Kind kind = Kind::any;
	std::string variable; ///< comparison: [A-Za-z][A-Za-z0-9]{0,30}
	Operator op = Operator::less;
	double number = 0.0; ///< finite
	std::string unit;    ///< as written, at most 31 printable ASCII characters; empty: none given
	Condition condition = Condition::low; ///< condition: never Condition::device
	Priority priority = Priority::low;    ///< at_least
};

/// Reads one Event.  Spaces around the parts are free; words are case sensitive.
/// Errors: malformed, saying which part is wrong.
[[nodiscard]] Result<EventExpr> parse_event(std::string_view text);

/// Reads one Duration and gives the moment at which the subscription ends: `now` itself when the
/// duration is zero, which asks for the present state once.
///
///     PT8H P5D P2W P1Y6M PT0S 0   ISO 8601 duration; months and years by the calendar (UTC), a day
///                                 that the month lacks becomes its last; decimals in seconds only
///     2026-11-21T17:00:00Z        ISO 8601 date-time with Z or offset, not before `now`
///     [for] [the] next 5 days     seconds, minutes, hours, days, weeks; a day is 24 h
///     till 17:00, until 5pm       the next such time after `now` on a clock that is `utc_offset`
///                                 ahead of UTC
///
/// Words are read in any case.  Errors: malformed, saying what is wrong; nothing over 100 years.
[[nodiscard]] Result<TimeUs> parse_duration(
		std::string_view text, TimeUs now, DurationUs utc_offset = 0);

} // namespace bmd::dmp
