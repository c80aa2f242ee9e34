/// @file threshold.hpp  Compare measurements with their alarm limits, over time.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no I/O, no clock, no Kamailio types.

#pragma once

#include <cstdint>
#include <limits>

#include "bmd/alert.hpp"
#include "bmd/time.hpp"

namespace bmd {

/// Where a value stands against its limits.
enum class Breach : std::uint8_t
{
	none = 0,
	low = 1,
	high = 2,
	invalid = 3
};

/// The alarm rule of one metric of one device: standard values of its type, with the prescribed
/// ones over them.  Plain record: lives in shared memory.
struct Rule
{
	double low = -std::numeric_limits<double>::infinity();      ///< inclusive; -inf: unchecked
	double high = std::numeric_limits<double>::infinity();      ///< inclusive; +inf: unchecked
	double low_low = -std::numeric_limits<double>::infinity();  ///< below it the priority is high
	double high_high = std::numeric_limits<double>::infinity(); ///< above it the priority is high
	double hysteresis = 0.0;       ///< how far back inside a value must come to end a breach, >= 0
	DurationUs delay = 0;          ///< alarm condition delay: a breach must last so long, >= 0
	std::uint32_t rises_after = 0; ///< seconds without an answer until the priority rises a step;
								   ///< 0: never
	std::uint16_t most_per_hour = 0; ///< an alert that begins more often chatters; 0: never
	Priority priority = Priority::high;
	bool latching = false; ///< alert stays until acknowledged when the condition has gone
};

/// What is remembered of one metric between readings.  Plain record: lives in shared memory.
struct Watch
{
	TimeUs since = 0;             ///< when the present breach began; 0 when there is none
	Breach breach = Breach::none; ///< what the readings say now
	Breach raised = Breach::none; ///< what is alarmed now
};

/// What one reading did to the alarm.
enum class Change : std::uint8_t
{
	none = 0,
	raise = 1, ///< begin an alert of `Step::condition`
	clear = 2, ///< end the alert that `Step::cleared` names
	swap = 3   ///< end `cleared` and begin `condition` (low to high in one reading)
};

struct Step
{
	Change change = Change::none;
	Breach condition = Breach::none;
	Breach cleared = Breach::none;
	TimeUs onset = 0; ///< when the raised condition began
};

/// Limits inclusive; NaN and infinity are `invalid`, never `none`: a probe that fell off must
/// not clear an alarm.
[[nodiscard]] Breach classify(double value, const Rule &rule) noexcept;

/// As classify(), but a breach in force ends only past the hysteresis.
[[nodiscard]] Breach classify(double value, const Rule &rule, Breach in_force) noexcept;

/// Is the value past the second limit of that side?  `before`: it was with the last reading, so it
/// must come back by the hysteresis.  A value that is not finite is as before.
[[nodiscard]] bool past_second_limit(
		double value, const Rule &rule, Breach side, bool before) noexcept;

/// Has this side a second limit?
[[nodiscard]] bool has_second_limit(const Rule &rule, Breach side) noexcept;

/// So many steps more urgent, at most high.
[[nodiscard]] Priority risen(Priority priority, unsigned steps) noexcept;

/// Takes one reading at `time` (not before the previous one).
/// Delay: a breach raises when it has lasted `rule.delay` by the readings' own times; clearing is
/// immediate once the value is inside by the hysteresis.  NaN and infinity change nothing here: the
/// alert in force stands, a waiting one goes on waiting, and step_validity() raises its own.
[[nodiscard]] Step step(Watch &watch, const Rule &rule, double value, TimeUs time) noexcept;

/// The same for validity alone, on a Watch of its own: raises Breach::invalid when no valid value
/// has come for `delay`, clears with the first valid one.
[[nodiscard]] Step step_validity(Watch &watch, DurationUs delay, bool valid, TimeUs time) noexcept;

} // namespace bmd
