/// @file code.hpp  Short codes of alerts, to be read aloud and typed on a phone.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// Five of 22 letters and digits that are not taken for one another (no 0 and O, 1, I and L, 2 and
/// Z, 5 and S, 6 and G, 8 and B, U and V; no E, with which digits would be a number).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bmd {

inline constexpr std::size_t code_length = 5;
inline constexpr std::uint32_t codes = 22U * 22U * 22U * 22U * 22U;

/// `number` counts from 1 to `codes`; 0 is the empty text.
[[nodiscard]] std::string code_text(std::uint32_t number);

/// Capitals or not; 0 when it is no code.
[[nodiscard]] std::uint32_t parse_code(std::string_view text) noexcept;

} // namespace bmd
