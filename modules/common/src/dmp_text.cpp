/// @file dmp_text.cpp  Text in XML: escaping, trimming, numbers.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "dmp_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace bmd::dmp {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD

struct Sequence
{
	std::size_t length; // bytes to take, at least 1
	bool legal;         // well formed, and a character XML 1.0 can carry
};

unsigned byte_at(std::string_view text, std::size_t at) noexcept
{
	return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

// A sequence that starts with a byte >= 0x80 (Unicode 15, table 3-7).  Ill-formed ones are cut
// where Unicode recommends it: before the first byte that cannot continue.
Sequence multibyte(std::string_view text, std::size_t at) noexcept
{
	const unsigned lead = byte_at(text, at);
	if(lead < 0xC2 || lead > 0xF4)
		return {1, false};
	const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	const unsigned second = byte_at(text, at + 1);
	if(second < low || second > high)
		return {1, false};
	for(std::size_t i = 2; i < length; ++i)
		if((byte_at(text, at + i) & 0xC0U) != 0x80)
			return {i, false};
	// U+FFFE and U+FFFF are no XML characters
	const bool noncharacter = lead == 0xEF && second == 0xBF && byte_at(text, at + 2) >= 0xBE;
	return {length, !noncharacter};
}

constexpr bool plain(unsigned char c) noexcept
{
	return c >= 0x20 && c < 0x80 && c != '&' && c != '<' && c != '>' && c != '"';
}

constexpr std::array<bool, 256> plain_table = [] {
	std::array<bool, 256> table{};
	for(unsigned c = 0; c < table.size(); ++c)
		table[c] = plain(static_cast<unsigned char>(c));
	return table;
}();

// What stands for one byte below 0x80 that is not plain.
std::string_view ascii_escape(char c, Place place) noexcept
{
	switch(c) {
		case '&':
			return "&amp;";
		case '<':
			return "&lt;";
		case '>':
			return "&gt;";
		case '"':
			return "&quot;";
		case '\r':
			return "&#13;";
		case '\n':
			return place == Place::attribute ? "&#10;" : "\n";
		case '\t':
			return place == Place::attribute ? "&#9;" : "\t";
		default:
			return replacement;
	}
}

constexpr bool xml_space(char c) noexcept
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

} // namespace

void append_escaped(std::string &out, std::string_view text, Place place)
{
	std::size_t run = 0;
	std::size_t at = 0;
	while(at < text.size()) {
		const auto c = static_cast<unsigned char>(text[at]);
		if(plain_table[c]) {
			++at;
			continue;
		}
		const Sequence sequence = c < 0x80 ? Sequence{1, false} : multibyte(text, at);
		if(!sequence.legal) {
			out.append(text, run, at - run);
			out.append(c < 0x80 ? ascii_escape(text[at], place) : replacement);
			run = at + sequence.length;
		}
		at += sequence.length;
	}
	out.append(text, run, text.size() - run);
}

void append_attribute(std::string &out, std::string_view name, std::string_view value)
{
	out += ' ';
	out += name;
	out += "=\"";
	append_escaped(out, value, Place::attribute);
	out += '"';
}

void append_element(std::string &out, std::string_view name, std::string_view text)
{
	out += '<';
	out += name;
	out += '>';
	append_escaped(out, text, Place::element);
	out += "</";
	out += name;
	out += '>';
}

std::string number_text(double value)
{
	if(!std::isfinite(value))
		return {};
	std::array<char, 32> buffer{};
	const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
	return {buffer.data(), end};
}

std::string_view trim(std::string_view text) noexcept
{
	while(!text.empty() && xml_space(text.front()))
		text.remove_prefix(1);
	while(!text.empty() && xml_space(text.back()))
		text.remove_suffix(1);
	return text;
}

std::optional<std::uint32_t> parse_u32(std::string_view text) noexcept
{
	std::uint32_t number = 0;
	const char *const end = text.data() + text.size();
	const auto [stop, error] = std::from_chars(text.data(), end, number);
	if(error != std::errc{} || stop != end || text.size() > 10)
		return std::nullopt;
	return number;
}

} // namespace bmd::dmp
