/// @file share.hpp  What one collector may take of what all collectors share.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no clock, and of the rings only their positions.

#pragma once

#include <cstdint>

#include "bmd/time.hpp"

namespace bmd {

/// A batch that keeps its process for so long is followed by a rest of the same length.
inline constexpr DurationUs long_batch = 50'000;

/// What of somebody waits in a ring.  All zero: nothing.
class Backlog
{
public:
	/// `amount` more, slots or bytes, in a ring that goes from `tail` to `head` now.
	void add(std::uint64_t amount, std::uint64_t head, std::uint64_t tail) noexcept;
	/// What waits, or more: counted in two lots, each of which counts whole until the last of it
	/// has gone.
	[[nodiscard]] std::uint64_t waiting(std::uint64_t tail) const noexcept;

private:
	struct Lot
	{
		std::uint64_t amount;
		std::uint64_t end; ///< position behind its last
	};
	Lot older_;
	Lot newer_;
};

/// All zero: nothing taken yet.
class CollectorShare
{
public:
	Backlog changes;  ///< of alerts, that its readings caused
	Backlog readings; ///< bytes of the journal

	/// A batch kept its process from `begun` to `ended` (monotonic).
	void took(TimeUs begun, TimeUs ended) noexcept;
	/// Has the process to be left to others now?
	[[nodiscard]] bool rests(TimeUs now) const noexcept { return now < rests_until_; }

private:
	TimeUs rests_until_;
};

} // namespace bmd
