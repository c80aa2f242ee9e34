/// @file stay.cpp  A batch's stay in the process that takes it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "stay.hpp"

namespace bmd {

namespace {

constexpr DurationUs patience = second_us; // with a database that is up and takes nothing

} // namespace

bool Stay::may_cause_more() noexcept
{
	if(share_ == nullptr)
		return true;
	settle();
	const bool over = changes_over_share(share_);
	const bool stuck =
			share_->stuck(over, mono_now(), patience) || store()->database_up.load() == 0;
	hold_history(over && stuck);
	return !over || stuck;
}

void Stay::stores(std::size_t bytes) noexcept
{
	const ByteRing &ring = store()->journal;
	if(share_ != nullptr)
		share_->readings.add(bytes, ring.head(), ring.tail());
}

std::size_t Stay::lines_judged() const noexcept
{
	return share_ != nullptr && is_part() ? share_->part.lines : 0;
}

void Stay::stops_at(std::size_t line) noexcept
{
	if(share_ != nullptr)
		share_->part = PartJudged{id_.epoch, id_.seq, line, mono_now()};
}

void Stay::is_judged() noexcept
{
	if(share_ != nullptr && is_part())
		share_->part = PartJudged{};
}

bool Stay::is_part() const noexcept
{
	const PartJudged &part = share_->part;
	return part.at != 0 && part.epoch == id_.epoch && part.seq == id_.seq;
}

void Stay::settle() noexcept
{
	const std::uint64_t since = journaled_here() - settled_;
	settled_ += since;
	const SlotRing &ring = store()->alert_events;
	if(share_ != nullptr)
		share_->changes.add(since, ring.head(), ring.tail());
}

} // namespace bmd
