/// @file dispatch.hpp  A DMPAction of a person to the DMPResponse it gets.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "bmd/dmp.hpp"
#include "bmd/result.hpp"

namespace bmd::dmp {

/// What was done, for the statistics.
struct Tally
{
	unsigned controls = 0;
	unsigned queries = 0;
	unsigned refused = 0;
};

/// Bytes of a response.  A Query that would make it longer gets too_long.
struct Room
{
	std::size_t page; ///< of one document, where it can be divided
	std::size_t all;
};
/// A MESSAGE over UDP is at most 1300 bytes (RFC 3428, 8): what headers leave of them, 16 times.
inline constexpr Room udp_room{850, 13'600};
inline constexpr Room stream_room{48'000, 48'000};

/// Carries out every entry in document order and gives each its response.  Errors: malformed, when
/// it is no DMPAction or asks for too much at once; then nothing is carried out.
[[nodiscard]] Result<Document> dispatch(
		std::string_view user, const Document &action, const Room &room, Tally &tally);

/// The response as documents of at most `room` bytes, at most `most` of them; what cannot be
/// divided (one Control's result, one variable, one alert) may be longer.  Where there are several
/// they are numbered.
[[nodiscard]] std::vector<Document> pages_of(Document response, std::size_t room, std::size_t most);

} // namespace bmd::dmp
