/// @file alert_rec.hpp  An alert as it stands in the alert book.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Plain record of shared memory; book.hpp says who may change it.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "bmd/alert.hpp"
#include "bmd/ids.hpp"
#include "bmd/metric.hpp"
#include "bmd/response.hpp"
#include "text.hpp"

namespace bmd {

inline constexpr std::size_t name_size =
		32; ///< names of types, people, groups, collectors: 31 bytes

/// The list of the book that an alert is in; changed under the book lock alone.
enum class AlertList : std::uint8_t
{
	none = 0, ///< free, or not in the book
	open,
	kept, ///< cleared, and may come back
	ended ///< its end waits for the journal
};

struct AlertRec
{
	Uuid id;
	char serial[name_size]; ///< kept even if the device goes
	double value;           ///< NaN: none
	double limit;           ///< NaN: none
	TimeUs measured_at;
	TimeUs arrived_at;
	TimeUs onset_at;
	TimeUs raised_at;
	TimeUs began_at; ///< last raised, or back after it had cleared
	TimeUs changed_at;
	TimeUs cleared_at;
	TimeUs closed_at; ///< 0: open, or cleared and kept because it may come back
	ResponseState response;
	TimeUs silence_ends;  ///< monotonic; 0: not silenced.  What is told is response.silenced_until
	TimeUs rises_at;      ///< monotonic: its priority rises then; 0: never
	TimeUs waits_since;   ///< monotonic: since when `rises_at` counts; 0: it does not
	TimeUs within_since;  ///< of readings: back within the second limit since; 0: it is not
	std::int64_t patient; ///< whom the device served; 0: none
	Index device;
	Index next_open; ///< of the list it is in; also: next free one
	Index prev_open;
	Index next_of_device; ///< of a cleared one that is kept: next of its hash bucket
	Index next_code;      ///< next of its hash bucket
	std::uint32_t code;   ///< see code.hpp; unique among those not closed
	std::uint32_t revision;
	std::uint32_t hour;      ///< in which `begins` counts: its begin, seconds since 1970
	std::uint32_t began;     ///< revision it got then; 0: before the server started
	std::uint32_t journaled; ///< revision that the journal has taken
	std::uint32_t mutes;     ///< of a stale alert: alerts that it inhibits; of low and high: see
							 ///< worst_of()
	std::uint16_t begins;    ///< how often it began within the hour
	MetricId metric;
	Condition condition;
	AlertList list;
	AlertKind kind;
	Priority priority;
	Priority priority_before; ///< before its last rise or fall; 0: none
	std::uint8_t risen;       ///< steps by which it rose for want of an answer
	bool chattering : 1;      ///< it begins more often than its rule allows
	bool was_high : 1;        ///< its priority has ever been high
	bool past_second : 1;     ///< its value is past the second limit: so its priority is high
	bool told : 1;            ///< to the feeds of its device; a storm tells of it otherwise
	bool was_escalated : 1;   ///< somebody has been called for it
	bool value_only : 1;      ///< of a change: a value that some filter asks for, and nothing else
	AlertState state;
};

/// Of an alert that a value is too low or too high: it inhibits none, so its worst value stands
/// there.
[[nodiscard]] inline bool has_worst(const AlertRec &alert) noexcept
{
	return alert.condition == Condition::low || alert.condition == Condition::high;
}

[[nodiscard]] inline std::uint32_t mutes_of(const AlertRec &alert) noexcept
{
	return has_worst(alert) ? 0 : alert.mutes;
}

/// Of low the lowest, of high the highest value since it began; NaN: none.
[[nodiscard]] inline float worst_of(const AlertRec &alert) noexcept
{
	return has_worst(alert) ? std::bit_cast<float>(alert.mutes)
							: std::numeric_limits<float>::quiet_NaN();
}

/// Nothing where there is no such value.
inline void set_worst(AlertRec &alert, double value) noexcept
{
	if(has_worst(alert))
		alert.mutes = std::bit_cast<std::uint32_t>(static_cast<float>(value));
}

} // namespace bmd
