/// @file recipients.hpp  Feeds that show an alert because it was escalated to them.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Callers hold the registry lock, shared or exclusively; these take the recipients' lock.

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

/// From now on the feed shows the alert, which is in this slot of the book.
Addition add_recipient(const Uuid &alert, Index slot, Index feed) noexcept;

/// Feeds the alert was escalated to.
[[nodiscard]] std::vector<Index> recipients_of(const Uuid &alert);

/// An alert that was escalated to a feed; it may be over by now.
struct Escalated
{
	Uuid alert;
	Index slot;
};
[[nodiscard]] std::vector<Escalated> escalated_to(Index feed);

/// May this person answer for the alert, although not responsible for its device?
[[nodiscard]] bool is_recipient(const Uuid &alert, Index feed) noexcept;

/// The alert is over, and everybody has been told.
void forget_recipients(const Uuid &alert) noexcept;

/// The feed goes.
void forget_recipient_feed(Index feed) noexcept;

} // namespace bmd
