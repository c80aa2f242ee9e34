/// @file held.hpp  The table of changes that wait to be told, for all notifiers.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Takes its own lock, within which no other is taken.

#pragma once

#include <vector>

#include "store.hpp"

namespace bmd {

/// 0: no room.
[[nodiscard]] Index put_held(const HeldRec &held) noexcept;
void change_held(Index i, const HeldRec &held) noexcept;
/// A copy.
[[nodiscard]] HeldRec held_at(Index i) noexcept;
void drop_held(Index i) noexcept;

/// All that is held, in no order.
[[nodiscard]] std::vector<HeldRec> all_held();

} // namespace bmd
