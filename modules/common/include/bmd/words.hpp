/// @file words.hpp  Words of people: names, reasons.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bmd {

/// UTF-8 (no overlong form, no surrogate, up to U+10FFFF) without control characters (C0, DEL, C1),
/// of at most `most` bytes: what the database, an XML document and a log line can all carry.
[[nodiscard]] bool valid_words(std::string_view text, std::size_t most) noexcept;

/// The longest beginning of at most `most` bytes that does not end within a character of UTF-8.
[[nodiscard]] std::string_view cut_words(std::string_view text, std::size_t most) noexcept;

/// Makes any zero-terminated text valid words, in place: every byte that is not part of them
/// becomes '?'.
void mend_words(char *text) noexcept;

/// What a reason repeats of a text: within single quotes, at most `most` bytes, each that is not
/// printable ASCII as '?', and "..." where it is cut.
[[nodiscard]] std::string quoted(std::string_view text, std::size_t most = 64);

} // namespace bmd
