/// @file text.hpp  Texts of any length in shared memory: chains of small pieces.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Callers hold the registry lock: shared to read, exclusive to change.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bmd {

using Index = std::uint32_t;

inline constexpr std::size_t text_piece = 28; ///< bytes of text in one piece

/// One piece.  The last one of a chain is filled up with zeros.
struct TextChunk
{
	Index next; ///< next piece of the same text, or next free one
	char bytes[text_piece];
};

/// Names a text.  Copying it does not copy the text: exactly one record owns it.
struct Text
{
	Index head = 0; ///< 0: empty
};

/// Replaces the text, which must not hold zero bytes.  A text that finds no room is empty
/// afterwards, never cut and never the old one: returns false, and it is counted and logged.
[[nodiscard]] bool put_text(Text &to, std::string_view from) noexcept;

/// Empties it and gives its pieces back.
void drop_text(Text &text) noexcept;

[[nodiscard]] std::string text_of(Text text);

/// Copies at most size-1 bytes and ends with a zero.
void copy_text(char *to, std::size_t size, Text from) noexcept;

} // namespace bmd
