/// @file pb840_fields.hpp  The fields of a Puritan Bennett 840 SNDF reply.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Shared by the driver and by the simulator; the table itself is pb840_fields.inc.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bmd::pb840 {

enum class Use : std::uint8_t
{
	number, ///< decimal number; blank, OFF or dashes: no value
	alarm,  ///< NORMAL, RESET, ALARM, LOW, MEDIUM, HIGH; blank: not available
	alert,  ///< ALERT; blank: no alert
	on_off, ///< ON, OFF; blank: not available
	text    ///< not read
};

struct Field
{
	std::uint8_t number; ///< as the manual counts: 5 to 173
	std::uint8_t width;  ///< characters, without the comma that ends the field
	Use use;
	std::string_view name; ///< in the catalogue; empty for text
};

inline constexpr Field fields[] = {
#define PB840_FIELD(number, width, use, name) Field{number, width, Use::use, name},
#include "drivers/pb840_fields.inc"
#undef PB840_FIELD
};

inline constexpr std::size_t field_count = sizeof fields / sizeof *fields;

/// Bytes between STX and ETX.
[[nodiscard]] constexpr std::size_t body_size() noexcept
{
	std::size_t size = 0;
	for(const auto &field : fields)
		size += field.width + 1U;
	return size;
}

inline constexpr std::string_view head = "MISCF,1225,169 ,\x02";
inline constexpr std::string_view tail = "\x03\r";
inline constexpr std::string_view request = "SNDF\r";
inline constexpr std::size_t reply_size = head.size() + body_size() + tail.size();

static_assert(field_count == 169 && body_size() == 1225, "the head announces these");

} // namespace bmd::pb840
