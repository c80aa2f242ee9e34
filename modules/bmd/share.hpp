/// @file share.hpp  What one collector may take of what all collectors share.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no clock, and of the rings only their positions.

#pragma once

#include <cstddef>
#include <cstdint>

#include "bmd/time.hpp"

namespace bmd {

/// What of somebody waits in a ring.  All zero: nothing.
class Backlog
{
public:
	/// `amount` more, slots or bytes, in a ring that goes from `tail` to `head` now.
	void add(std::uint64_t amount, std::uint64_t head, std::uint64_t tail) noexcept;
	/// What waits, or up to twice that: counted in two lots, each of which counts whole until the
	/// last of it has gone.
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

/// A batch of which `lines` are judged, and the others when it is sent again.
struct PartJudged
{
	std::int64_t epoch;
	std::int64_t seq;
	std::size_t lines;
	TimeUs at; ///< monotonic; 0: there is none
};

/// All zero: nothing taken yet.
class CollectorShare
{
public:
	Backlog changes;  ///< of alerts, that its readings caused
	Backlog readings; ///< bytes of the journal
	PartJudged part;

	/// Is more than its share of changes taken for longer than `patience`?  To be asked, with
	/// whether it is taken, at every look.
	[[nodiscard]] bool stuck(bool over, TimeUs now, DurationUs patience) noexcept;

private:
	TimeUs over_since_; ///< 0: it is not
};

} // namespace bmd
