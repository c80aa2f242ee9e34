/// @file words.cpp  Words of people: names, reasons.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/words.hpp"

#include <cstdint>
#include <cstring>

namespace bmd {

namespace {

// Bytes of the printable character that `text` begins with; 0 when it begins with none.
std::size_t character(std::string_view text) noexcept
{
	const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
	const unsigned char first = byte(0);
	if(first < 0x80)
		return first >= 0x20 && first != 0x7f ? 1 : 0;
	const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if(first < 0xc2 || first > 0xf4 || text.size() < size)
		return 0;
	std::uint32_t code = first & (0x7fU >> size);
	for(std::size_t i = 1; i < size; ++i) {
		if((byte(i) & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (byte(i) & 0x3fU);
	}
	static constexpr std::uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
	const bool surrogate = code >= 0xd800 && code <= 0xdfff;
	const bool none = code == 0xfffe || code == 0xffff; // XML cannot carry them
	return code >= least[size] && code <= 0x10ffff && !surrogate && !none ? size : 0;
}

} // namespace

bool valid_words(std::string_view text, std::size_t most) noexcept
{
	if(text.size() > most)
		return false;
	while(!text.empty()) {
		const std::size_t size = character(text);
		if(size == 0)
			return false;
		text.remove_prefix(size);
	}
	return true;
}

std::string_view cut_words(std::string_view text, std::size_t most) noexcept
{
	if(text.size() <= most)
		return text;
	while(most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
		--most;
	return text.substr(0, most);
}

void mend_words(char *text) noexcept
{
	std::string_view rest(text, std::strlen(text));
	while(!rest.empty()) {
		std::size_t size = character(rest);
		if(size == 0) {
			*text = '?';
			size = 1;
		}
		text += size;
		rest.remove_prefix(size);
	}
}

std::string quoted(std::string_view text, std::size_t most)
{
	std::string out = "'";
	for(const char c : text.substr(0, most))
		out += c >= ' ' && c <= '~' ? c : '?';
	return out + (text.size() > most ? "...'" : "'");
}

} // namespace bmd
