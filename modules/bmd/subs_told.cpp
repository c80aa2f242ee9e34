/// @file subs_told.cpp  What subscriptions have been told.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <mutex>

#include "subs.hpp"
#include "watchers.hpp"

namespace bmd {

void note_full_state(SubRef ref, std::optional<std::uint32_t> counted,
		std::optional<WatcherEvent> shut_out) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	SubRec *const sub = live_sub(ref);
	if(sub == nullptr)
		return;
	sub->full_at = wall_now();
	sub->pending_since = 0;
	sub->counts = counted.has_value();
	sub->counted = counted.value_or(0);
	if(shut_out)
		note_watcher(*sub, *shut_out);
	else
		note_shown(*sub);
}

std::optional<std::uint32_t> counted_for(SubRef ref) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	const SubRec *const sub = live_sub(ref);
	return sub == nullptr || !sub->counts ? std::nullopt : std::optional(sub->counted);
}

} // namespace bmd
