/// @file call_words.hpp  What a call says of alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// No name of a patient in headers: proxies log them, phones list them.

#pragma once

#include <string>
#include <vector>

#include "../bmd/bmd_api.h"
#include "bmd/alert.hpp"

namespace bmd::reach {

struct CallWords
{
	std::string display; ///< quoted-string
	std::string headers; ///< each with CRLF
	std::string text;    ///< at most 1300 bytes of UTF-8
};

[[nodiscard]] Priority priority_of(const bmd_alert_view &alert) noexcept;

/// Does it still wait for an answer, of somebody else if this person gave one?
[[nodiscard]] bool still_waits(const bmd_alert_view &alert, std::string_view person) noexcept;

/// Of at least one alert, the most urgent first; `others` are not among them.
[[nodiscard]] CallWords words_of_call(const std::vector<bmd_alert_view> &alerts, long others);

} // namespace bmd::reach
