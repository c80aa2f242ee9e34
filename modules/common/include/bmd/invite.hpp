/// @file invite.hpp  What an INVITE that tells of an alert says: header texts, SDP, body.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure.  There is no media of ours: audio is offered as inactive.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bmd/alert.hpp"
#include "bmd/result.hpp"

namespace bmd {

/// Value of the header Priority (RFC 3261, 20.26): emergency, urgent, normal.
[[nodiscard]] std::string_view sip_priority(Priority priority) noexcept;

/// One line of UTF-8 for a header (TEXT-UTF8-TRIM of RFC 3261, 25.1): what is no printable
/// character becomes a space, spaces are joined, and it ends before `most` bytes are exceeded,
/// never within a character.
[[nodiscard]] std::string header_line(std::string_view text, std::size_t most);

/// The same as a quoted-string, `most` bytes between the quotes at most.
[[nodiscard]] std::string quoted_string(std::string_view text, std::size_t most);

/// Our side of a session.
struct SdpHost
{
	std::string_view address; ///< numeric; IPv6 without brackets
	bool ip6 = false;
	std::string_view session; ///< digits, the same for all descriptions of one call
};

/// Offer (RFC 3264): one audio stream, PCMU and PCMA, inactive.
[[nodiscard]] std::string sdp_offer(const SdpHost &host);

/// Answer to what a terminal offers within the call: its first RTP/AVP audio stream as inactive,
/// every other stream refused.  `malformed`: no SDP, or without such a stream.
[[nodiscard]] Result<std::string> sdp_answer(std::string_view offer, const SdpHost &host);

/// Body of multipart/mixed (RFC 5621): the offer, then a text/plain part that need not be
/// understood.  `boundary` occurs in neither.
[[nodiscard]] std::string multipart(
		std::string_view sdp, std::string_view text, std::string_view boundary);

} // namespace bmd
