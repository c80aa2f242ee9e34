/// @file rejections.hpp  Who has rejected an alert: they are spared while others can be asked.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A few of each alert, by a hash of the name.  Whoever finds no room is asked again.  No locks:
/// callers see to it that the slot is still the alert's.

#pragma once

#include <string_view>
#include <vector>

#include "store.hpp"

namespace bmd {

/// Stands for a person.  Never 0.
using Rejecter = std::uint32_t;
[[nodiscard]] Rejecter rejecter_of(std::string_view who) noexcept;

/// This person has rejected the alert in this slot.  `fresh`: and escalation has not looked at that
/// yet.
void note_rejection(Index slot, std::string_view who, bool fresh = true) noexcept;

[[nodiscard]] bool has_rejected(Index slot, std::string_view who) noexcept;

/// Who has rejected it since the last call.
[[nodiscard]] std::vector<Rejecter> take_fresh_rejecters(Index slot);

/// Everybody is asked again.
void forget_rejections(Index slot) noexcept;

/// Is a feed (a person's, or that of a group whose watcher the person is) this rejecter's?  Caller
/// holds the registry lock.
[[nodiscard]] bool is_feed_of(Rejecter who, std::string_view feed) noexcept;

} // namespace bmd
