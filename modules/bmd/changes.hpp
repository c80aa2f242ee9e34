/// @file changes.hpp  What waits in shared memory to be told to watchers.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A change goes to every notifier once; each tells the subscriptions it serves (dialog hash), so
/// the order per subscription holds and a large feed is told by all of them.  High priority has its
/// own ring, drained first.

#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "store.hpp"

namespace bmd {

/// One entry of a notifier's ring.
struct FeedChange
{
	AlertRec alert;       ///< as it was after the change; serial[0] == 0: a refresh
	char feed[feed_size]; ///< refresh: all subscriptions of this feed get their full state; of an
						  ///< alert: only they learn of it
	SubRef sub;           ///< refresh: only this one does
};

/// Tells all notifiers that the alert has changed.
void queue_change(const AlertRec &alert) noexcept;

/// Tells the subscriptions of one feed only, and not urgently.
void queue_change_to(const AlertRec &alert, std::string_view feed) noexcept;

/// Every subscription of the feed gets its full state.
void queue_refresh(std::string_view feed) noexcept;

/// The same of subscriptions to its watcher information.
void queue_refresh_winfo(std::string_view feed) noexcept;

/// One subscription gets its full state.
void queue_refresh_sub(SubRef sub, std::uint64_t dialog) noexcept;

/// Of these people every subscription to another feed than their own.
using Names = std::set<std::string, std::less<>>;
void queue_refresh_people(const Names &people) noexcept;

/// Every subscription gets its full state.
void queue_refresh_all() noexcept;

} // namespace bmd
