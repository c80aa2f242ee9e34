/// @file alert_text.hpp  An alert as the text of a message to a phone.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure.  Whatever the words hold: the text is UTF-8 without control characters but line feeds, and
/// is never cut within a character.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bmd {

/// Bytes of the body of a MESSAGE outside a session (RFC 3428, 8).
inline constexpr std::size_t most_message = 1300;

/// What is said of an alert, in the words of alert.hpp; what is empty is left out.
struct AlertWords
{
	std::string_view code;
	std::string_view priority;
	std::string_view metric; ///< or name of the device's own alarm
	std::string_view condition;
	std::string_view state;
	std::string_view value;
	std::string_view limit;
	std::string_view unit; ///< UCUM
	std::string_view serial;
	std::string_view type;
	std::string_view location;
	std::string_view patient;
	std::string_view address;
	std::string_view since; ///< when the condition began, as people read it
	/// Of a storm: "collector home-3", "site"; the value counts its devices.
	std::string_view cause = {};
	std::string_view devices = {}; ///< of a storm: some of them, and how many more
	std::string_view before = {};  ///< priority before it rose or fell
};

/// The alert and how to answer it: the most important words first, of at most `most` bytes.  What
/// matters least is left out first, line by line; priority, what it is about, and code stay.
[[nodiscard]] std::string alert_text(const AlertWords &alert, std::size_t most = most_message);

/// One line: "HIGH SpO2 84 % low, OX-1001", of at most 200 bytes.
[[nodiscard]] std::string alert_brief(const AlertWords &alert);

/// Somebody else sees to it, or it is over; `who` is empty when nobody ended it.
[[nodiscard]] std::string taken_text(
		std::string_view brief, std::string_view code, std::string_view who);
[[nodiscard]] std::string over_text(
		std::string_view brief, std::string_view code, std::string_view who);

/// There are `count` alerts that no text of their own tells.
[[nodiscard]] std::string more_text(std::size_t count);

/// The longest beginning of at most `most` bytes that ends with a whole character.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t most) noexcept;

} // namespace bmd
