/// @file share.cpp  What one collector may take of what all collectors share.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "share.hpp"

namespace bmd {

void Backlog::add(std::uint64_t amount, std::uint64_t head, std::uint64_t tail) noexcept
{
	if(older_.end <= tail) {
		older_ = newer_;
		newer_ = Lot{};
	}
	if(amount == 0)
		return;
	newer_.amount += amount;
	newer_.end = head;
}

std::uint64_t Backlog::waiting(std::uint64_t tail) const noexcept
{
	return (older_.end > tail ? older_.amount : 0) + (newer_.end > tail ? newer_.amount : 0);
}

bool CollectorShare::stuck(bool over, TimeUs now, DurationUs patience) noexcept
{
	if(!over)
		over_since_ = 0;
	else if(over_since_ == 0)
		over_since_ = now;
	return over && now - over_since_ > patience;
}

} // namespace bmd
