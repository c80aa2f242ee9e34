/// @file numbering.hpp  What the number of a batch says about what to do with it.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no shared memory, no clock.  Contract: README.md, "Numbers of batches".

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bmd/time.hpp"

namespace bmd {

/// An epoch lies at most so far ahead of the server's clock.
inline constexpr DurationUs epoch_ahead = 24 * 3600 * second_us;

/// What the server has of one epoch of one collector.
struct Progress
{
	std::int64_t accepted = 0; ///< every number up to here is taken
	std::int64_t judged = 0;   ///< every number up to here is judged, at least up to `accepted`
	std::int64_t durable = 0;  ///< every number up to here is in the database
};

/// The text of a batch, and the numbers it accounts for: `first` to its own.
struct Numbered
{
	std::int64_t first = 0;
	std::string_view text; ///< without the statement
};

/// Reads the statement "!absent FIRST" in the first line: the numbers from FIRST to the one before
/// `seq` do not come.  A statement that says something else is left to the reader of reports, which
/// refuses it.
[[nodiscard]] Numbered read_absence(std::string_view text, std::int64_t seq) noexcept;

enum class Turn : std::uint8_t
{
	duplicate,   ///< taken before
	next,        ///< its turn: judge and store
	next_judged, ///< its turn, judged before: store
	ahead,       ///< older ones are judged but not stored: judge it, do not store it
	gap ///< something before it is missing, or there is nothing in it: say what is expected
};
[[nodiscard]] Turn turn_of(
		const Progress &progress, std::int64_t first, std::int64_t seq, bool empty) noexcept;

/// Bytes that Kamailio's module jsonrpcs takes of the words of a fault.
inline constexpr std::size_t longest_fault = 127;

/// `reason` with the numbers a collector goes on by: "; expected=4 judged=7 durable=2".  They are
/// whole: of what is longer than longest_fault the reason is cut.
[[nodiscard]] std::string with_numbers(std::string_view reason, const Progress &progress);

/// Why an epoch is not taken, with "known=EPOCH clock=MICROSECONDS"; empty when it is.
[[nodiscard]] std::string refuse_epoch(std::int64_t epoch, std::int64_t known, TimeUs now);

} // namespace bmd
