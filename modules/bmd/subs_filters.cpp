/// @file subs_filters.cpp  Which subscriptions have filters.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <atomic>
#include <mutex>

#include "subs.hpp"

namespace bmd {

std::uint32_t exchange_filter(SubRef ref, std::uint32_t filter) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	SubRec *const sub = live_sub(ref);
	return sub == nullptr ? filter : std::atomic_ref(sub->filter).exchange(filter);
}

std::uint32_t filter_in_force(SubRef ref) noexcept
{
	return ref.slot == 0 ? 0 : std::atomic_ref(store()->subs[ref.slot].filter).load();
}

std::vector<FilteredSub> filtered_subs()
{
	Store &s = *store();
	std::vector<FilteredSub> found;
	const std::lock_guard<Mutex> guard(s.sub_lock);
	for(Index i = 1; i <= s.subs.used; ++i)
		if(const SubRec &sub = s.subs[i]; sub.dialog != 0 && sub.filter != 0)
			found.push_back({{i, sub.generation}, sub.dialog, sub.filter, sub.full_at});
	return found;
}

} // namespace bmd
