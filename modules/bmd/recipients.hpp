/// @file recipients.hpp  Feeds that show an alert because it was escalated to them, or because it
/// is a storm of their devices. SPDX-License-Identifier: GPL-2.0-or-later Callers hold the registry
/// lock, shared or exclusively; these take the recipients' lock.

#pragma once

#include <vector>

#include "store.hpp"

namespace bmd {

enum class Addition
{
	done,
	known,  ///< it shows the alert already
	no_room ///< counted and logged
};

/// From now on the feed shows the alert, which is in this slot of the book, for this reason, too.
Addition add_recipient(
		const Uuid &alert, Index slot, Index feed, RecipientFlag why = recipient_called) noexcept;

/// That reason is over; without another one the feed does not show the alert any more.
void remove_recipient(const Uuid &alert, Index feed, RecipientFlag why) noexcept;

/// Feeds that show the alert for one of these reasons.
[[nodiscard]] std::vector<Index> recipients_of(const Uuid &alert, std::uint8_t why = recipient_any);

/// An alert that a feed shows so; it may be over by now.
struct Escalated
{
	Uuid alert;
	Index slot;
};
[[nodiscard]] std::vector<Escalated> escalated_to(Index feed);

/// Does the feed show the alert for one of these reasons?
[[nodiscard]] bool is_recipient(
		const Uuid &alert, Index feed, std::uint8_t why = recipient_any) noexcept;

/// The alert is over, and everybody has been told.
void forget_recipients(const Uuid &alert) noexcept;

/// The feed goes.
void forget_recipient_feed(Index feed) noexcept;

} // namespace bmd
