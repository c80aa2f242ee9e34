/// @file code.cpp  Short codes of alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/code.hpp"

namespace bmd {

namespace {

constexpr std::string_view alphabet = "ACDFGHJKMNPQRTVWXY3479";
static_assert(alphabet.size() == 22);

} // namespace

std::string code_text(std::uint32_t number)
{
	if(number == 0 || number > codes)
		return {};
	std::string text(code_length, alphabet.front());
	std::uint32_t rest = number - 1;
	for(std::size_t i = code_length; i-- > 0; rest /= alphabet.size())
		text[i] = alphabet[rest % alphabet.size()];
	return text;
}

std::uint32_t parse_code(std::string_view text) noexcept
{
	if(text.size() != code_length)
		return 0;
	std::uint32_t number = 0;
	for(const char c : text) {
		const char capital = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
		const std::size_t digit = alphabet.find(capital);
		if(digit == std::string_view::npos)
			return 0;
		number = number * static_cast<std::uint32_t>(alphabet.size())
				 + static_cast<std::uint32_t>(digit);
	}
	return number + 1;
}

} // namespace bmd
