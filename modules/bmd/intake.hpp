/// @file intake.hpp  Takes a batch of readings: reads, judges, journals.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Runs in many processes at once; batches of one collector are taken one after the other.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bmd {

/// Who sends the batch.  An empty collector: reported by hand, neither numbered nor resent.
struct BatchId
{
	std::string_view collector;
	std::int64_t epoch = 0; ///< life of the collector's spool: a later one is larger
	std::int64_t seq = 0;   ///< number of the batch within the epoch, from 1
};

struct Receipt
{
	/// 200 taken; 400 nothing of it could be; 409 epoch not possible; 412 not its turn; 413; 503
	/// keep it.  The reasons of 409, 412 and 503, but for a second batch at the same time, end with
	/// the numbers a collector goes on by (numbering.hpp).
	int code = 200;
	std::string reason;               ///< when code is not 200
	std::uint64_t accepted = 0;       ///< readings
	std::uint64_t refused_count = 0;  ///< readings and lines
	std::vector<std::string> refused; ///< the first of them: "line 2: SpO2=nan: reason"
	bool duplicate = false;           ///< seen before, not taken again
	bool judged = false;              ///< of 503: its alerts are out, all of them
	std::int64_t durable = 0;         ///< batches of this epoch up to here are in the database, but
									  ///< for those the collector said do not come
};

/// Longest list of refusals in a receipt.
inline constexpr std::size_t max_refusals = 32;

/// Source of the contract: README.md, "Numbers of batches".
[[nodiscard]] Receipt take_batch(const BatchId &id, std::string_view text);

} // namespace bmd
