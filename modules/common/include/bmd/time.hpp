/// @file time.hpp  Points in time: UTC, microseconds since 1970-01-01.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Has no clock: the time is always passed in.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bmd/result.hpp"

namespace bmd {

/// Microseconds since 1970-01-01T00:00:00Z, no leap seconds (POSIX time).  0 means "not set".
using TimeUs = std::int64_t;
/// A length of time in microseconds.
using DurationUs = std::int64_t;

inline constexpr DurationUs second_us = 1'000'000;

/// RFC 3339 with six decimals: "2026-11-21T03:00:00.123456Z".  Years 1970 to 9999.
[[nodiscard]] std::string format_time(TimeUs time);

/// Reads RFC 3339 date-times with 0 to 9 decimals, "Z" or a numeric offset.
/// Errors: malformed, with the text refused.
[[nodiscard]] Result<TimeUs> parse_time(std::string_view text);

} // namespace bmd
