/// @file changes.hpp  What waits in shared memory to be told to watchers.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A change goes to every notifier once; each notifier tells the feeds it owns (feed hash), so the
/// order per feed holds.  High priority has its own ring, drained first.

#pragma once

#include <string_view>

#include "store.hpp"

namespace bmd {

/// One entry of a notifier's ring.
struct FeedChange
{
	AlertRec alert; ///< as it was after the change; serial[0] == 0: no alert, refresh `feed`
	char feed[64];  ///< refresh: user part of the feed's URI, which gets its full state
};

/// Tells all notifiers that the alert has changed.
void queue_change(const AlertRec &alert) noexcept;

/// Tells the owner of the feed to send its full state.
void queue_refresh(std::string_view feed) noexcept;

/// Every watched feed gets its full state.
void queue_refresh_all() noexcept;

/// A terminal did not answer: the feed gets its full state in `retry_after`, once for all terminals
/// that fail meanwhile.
inline constexpr DurationUs retry_after = 10 * second_us;
void queue_retry(std::string_view feed) noexcept;
/// Queues the refreshes that are due.  Called by the timer.
void queue_due_retries() noexcept;

/// Which notifier owns a feed.
[[nodiscard]] std::size_t notifier_of(std::string_view feed) noexcept;

} // namespace bmd
