/// @file rows_text.hpp  A change of a row as one text, for shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <string_view>

#include "rows.hpp"

namespace bmd {

/// Appends `text` with its length before it.
void put_text(std::string &to, std::string_view text);

/// The action, the condition and the cells, at most 255 of each; not the table.
[[nodiscard]] std::string packed(const RowChange &change);
/// `text` is of packed().
[[nodiscard]] RowChange unpacked(std::string_view table, std::string_view text);

/// Takes what no column refuses of a word that decides nothing, the terminal's name for itself: 255
/// characters of ASCII.  False when there is nothing to take.
[[nodiscard]] bool tame(RowChange &change);

} // namespace bmd
