/// @file headers.hpp  Headers of a SIP request under a signature: RFC 3261, 23.4, and RFC 3420.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure text.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smime {

struct Header
{
	std::string name;  ///< long form
	std::string value; ///< as it stands in the request
};
using Headers = std::vector<Header>;

/// What a signature covers, in the order written: From, To, Call-ID, CSeq, Contact, Event, Expires,
/// Subscription-State, Route.
[[nodiscard]] std::span<const std::string_view> covered_names() noexcept;

/// The long form of a header that is covered ("Call-ID" of "i"); "" of another one.
[[nodiscard]] std::string_view covered_name(std::string_view name);

/// Header lines of a message/sipfrag.
[[nodiscard]] std::string to_lines(const Headers &headers);

/// The covered ones of a message/sipfrag or message/sip, whose start line is left out.
[[nodiscard]] Headers from_lines(std::string_view head);

/// Why the headers of the request are not those that were signed; "" when they are.  White space
/// does not count, but between two words.  A proxy may have taken Routes from the front; nothing
/// else may differ, and nothing that is covered may be there or missing in one of them only.
[[nodiscard]] std::string difference(const Headers &signed_headers, const Headers &request);

} // namespace smime
