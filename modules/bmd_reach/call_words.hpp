/// @file call_words.hpp  What a call says of alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// No name of a patient in headers: proxies log them, phones list them.

#pragma once

#include <string>
#include <vector>

#include "../bmd/bmd_api.h"
#include "bmd/alert.hpp"

namespace bmd::reach {

/// An alert and what a text message says of it.
struct CallTold
{
	bmd_alert_view alert;
	std::string line; ///< in one line
	std::string text; ///< whole
};

struct CallWords
{
	std::string display; ///< quoted-string
	std::string headers; ///< each with CRLF
	std::string text;    ///< at most 1300 bytes of UTF-8
};

[[nodiscard]] Priority priority_of(const bmd_alert_view &alert) noexcept;

/// Does it still wait for an answer, of somebody else if this person gave one?
[[nodiscard]] bool still_waits(const bmd_alert_view &alert, std::string_view person) noexcept;

/// Of at least one alert, the most urgent first; `others` are not among them.  The first is told
/// whole, the others in a line each as long as there is room.
[[nodiscard]] CallWords words_of_call(const std::vector<CallTold> &alerts, std::size_t others);

/// For who gets encrypted documents only, since a call has no encrypted part: that there is
/// something, and how urgent it is; nothing of device, patient or value.
[[nodiscard]] CallWords words_of_silent_call(Priority priority);

} // namespace bmd::reach
