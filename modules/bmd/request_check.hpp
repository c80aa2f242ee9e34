/// @file request_check.hpp  Looks at what comes from outside before Kamailio's own parsers do.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Kamailio's JSON parser recurses with every bracket and logs what it cannot read.

#pragma once

#include <string_view>

#include "bmd/result.hpp"

namespace bmd {

/// Is it one JSON-RPC 2.0 request of bmd.report: an object with "jsonrpc":"2.0", "method", "params"
/// (an array of 1 or 4 strings) and perhaps "id" (string or number), nothing twice, nothing else?
/// With a collector it must be a batch of that one.
/// Errors: malformed, with what is wrong, never a part of the text; denied: another collector's.
[[nodiscard]] Result<bool> check_report_request(
		std::string_view body, std::string_view collector = {});

/// The most bytes of a request, and of a SUBSCRIBE's body.
inline constexpr std::size_t max_request = 1U << 20;

} // namespace bmd
