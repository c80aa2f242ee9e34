/// @file stay.hpp  A batch's stay in the process that takes it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstddef>
#include <cstdint>

#include "bmd/time.hpp"
#include "journal.hpp"
#include "registry.hpp"

namespace bmd {

/// How long a batch keeps this process and what it causes, held against its collector's share.
class Stay
{
public:
	/// nullptr: nobody's.
	explicit Stay(CollectorShare *share) : share_(share) {}
	Stay(const Stay &) = delete;
	Stay &operator=(const Stay &) = delete;
	~Stay()
	{
		settle();
		hold_history(false);
		if(share_ != nullptr)
			share_->took(begun_, mono_now());
	}
	/// True when its readings may cause more.
	[[nodiscard]] bool room() noexcept
	{
		settle();
		return journal_has_room_for_alerts() && !changes_over_share(share_);
	}
	/// Waits until they may.  What it waits for others is not held against its collector.
	[[nodiscard]] bool wait_for_room(TimeUs until) noexcept
	{
		const TimeUs from = mono_now();
		const bool its_own = changes_over_share(share_);
		const bool room = wait_for_room_for_alerts(until, share_);
		if(!its_own)
			begun_ += mono_now() - from;
		return room;
	}

	/// What goes on without waiting leaves the others their room.
	void leave_room() noexcept
	{
		settle();
		hold_history(changes_over_share(share_));
	}

	/// May its readings be stored?
	[[nodiscard]] bool may_store() const noexcept { return !readings_over_share(share_); }
	void stores(std::size_t bytes) noexcept
	{
		const ByteRing &ring = store()->journal;
		if(share_ != nullptr)
			share_->readings.add(bytes, ring.head(), ring.tail());
	}

private:
	void settle() noexcept
	{
		const std::uint64_t since = journaled_here() - settled_;
		settled_ += since;
		const SlotRing &ring = store()->alert_events;
		if(share_ != nullptr)
			share_->changes.add(since, ring.head(), ring.tail());
	}
	CollectorShare *share_;
	TimeUs begun_ = mono_now();
	std::uint64_t settled_ = journaled_here();
};

} // namespace bmd
