/// @file text_reply.hpp  A text of a person to the text it gets.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <string_view>

#include "bmd/reply.hpp"
#include "dispatch.hpp"

namespace bmd::dmp {

/// A MESSAGE over UDP is at most 1300 bytes (RFC 3428, 8): what headers leave of them.
inline constexpr std::size_t max_answer = 850;

struct TextAnswer
{
	std::string text;      ///< at most max_answer bytes
	bool answered = false; ///< it was an answer to one alert, whatever came of it
	std::string code;      ///< of that alert
	std::string result;    ///< as a ResultCode
};

/// Carries out what the text asks for, if it is one answer to exactly one alert; anything else
/// changes nothing.
[[nodiscard]] TextAnswer answer_text(
		std::string_view user, std::string_view text, TimeUs now, Tally &tally);

} // namespace bmd::dmp
