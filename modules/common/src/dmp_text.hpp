/// @file dmp_text.hpp  Text in XML: escaping, trimming, numbers.  Internal to the DMP codec.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bmd::dmp {

inline constexpr std::string_view draft_namespace = "http://www.w3.org/namespace/";
inline constexpr std::string_view bmd_namespace = "urn:bmd:dmp:1";

/// Where text stands: white space in an attribute would be normalised away unless it is escaped.
enum class Place : std::uint8_t
{
	element,
	attribute
};

/// Appends `text` escaped.  What XML 1.0 cannot carry becomes U+FFFD, as dmp.hpp says of write().
void append_escaped(std::string &out, std::string_view text, Place place);

/// Appends ` NAME="VALUE"`; `name` is taken as it is.
void append_attribute(std::string &out, std::string_view name, std::string_view value);

/// Appends `<NAME>TEXT</NAME>`; `name` is taken as it is.
void append_element(std::string &out, std::string_view name, std::string_view text);

/// Shortest decimal that reads back the same; empty for NaN and infinity.
[[nodiscard]] std::string number_text(double value);

/// Without XML white space at both ends.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// Digits only, at least one, at most 10, in range.
[[nodiscard]] std::optional<std::uint32_t> parse_u32(std::string_view text) noexcept;

} // namespace bmd::dmp
