/// @file watcher_rec.hpp  What is remembered of watchers for those who answer for a feed.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Parts of the store (store.hpp); all of it under the lock of subscriptions.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "bmd/time.hpp"
#include "bmd/winfo.hpp"
#include "text.hpp"

namespace bmd {

inline constexpr std::size_t past_watchers = 512;    ///< that wait, or have ended lately
inline constexpr std::size_t watched_name_size = 40; ///< as feed_size

/// Of a live subscription.
struct WatcherRec
{
	TimeUs begun_at;      ///< wall clock; 0: before the last start
	std::uint64_t change; ///< number of its last change; of a subscription to watcher information:
						  ///< up to which it has been told
	WatcherStatus status; ///< init: not answered yet, or not one that is told of
	WatcherEvent event;   ///< that led to it
};

/// One that is not live any more: it waits, or its end is still to be told.
struct PastWatcher
{
	std::uint64_t id; ///< 0: free
	TimeUs begun_at;
	TimeUs since; ///< monotonic: of its last change
	std::uint64_t change;
	WatcherStatus status;
	WatcherEvent event;
	char feed[watched_name_size];
	char user[32]; ///< of name_size
};

struct WatcherLog
{
	std::atomic<std::uint64_t> last;        ///< number of the last change
	std::uint64_t lost;                     ///< up to this number some are not here any more
	std::atomic<std::uint32_t> subscribers; ///< subscriptions to watcher information
	PastWatcher past[past_watchers];
};

} // namespace bmd
