/// @file stay.hpp  A batch's stay in the process that takes it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstddef>
#include <cstdint>

#include "bmd/time.hpp"
#include "intake.hpp"
#include "journal.hpp"
#include "registry.hpp"

namespace bmd {

/// What a batch causes, held against its collector's share.
class Stay
{
public:
	/// `share` is held by the caller; nullptr: nobody's, without limit.
	Stay(CollectorShare *share, const BatchId &id) : share_(share), id_(id) {}
	Stay(const Stay &) = delete;
	Stay &operator=(const Stay &) = delete;
	~Stay()
	{
		settle();
		hold_history(false);
	}

	/// May its readings cause more changes of alerts?  When its share is used up they wait until it
	/// is sent again; but when the database takes nothing they go on, and their history is made up
	/// for.
	[[nodiscard]] bool may_cause_more() noexcept;
	/// May its readings be stored?
	[[nodiscard]] bool may_store() const noexcept { return !readings_over_share(share_); }
	void stores(std::size_t bytes) noexcept;

	/// Lines that were judged when it was sent before.
	[[nodiscard]] std::size_t lines_judged() const noexcept;
	/// Judged up to this line; the others when it is sent again.
	void stops_at(std::size_t line) noexcept;
	/// All of it is judged.
	void is_judged() noexcept;

private:
	[[nodiscard]] bool is_part() const noexcept; // of a share there is
	void settle() noexcept;

	CollectorShare *share_;
	const BatchId &id_;
	std::uint64_t settled_ = journaled_here();
};

} // namespace bmd
