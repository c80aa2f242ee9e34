/// @file mime.cpp  MIME entities as S/MIME needs them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "mime.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace smime {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view alphabet =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Reads a token, or a quoted string without its quotes, from the front of `rest`.
std::string take_value(std::string_view &rest)
{
	std::string value;
	if(rest.empty() || rest.front() != '"') {
		const std::size_t end = std::min(rest.find(';'), rest.size());
		value = trimmed(rest.substr(0, end));
		rest.remove_prefix(end);
		return value;
	}
	rest.remove_prefix(1);
	while(!rest.empty() && rest.front() != '"') {
		if(rest.front() == '\\' && rest.size() > 1)
			rest.remove_prefix(1);
		value += rest.front();
		rest.remove_prefix(1);
	}
	rest.remove_prefix(std::min(rest.find(';'), rest.size()));
	return value;
}

// The next line without its end; `rest` begins behind it.
std::string_view take_line(std::string_view &rest)
{
	const std::size_t end = rest.find('\n');
	std::string_view line = rest.substr(0, end);
	rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
	if(!line.empty() && line.back() == '\r')
		line.remove_suffix(1);
	return line;
}

} // namespace

std::string lower(std::string_view text)
{
	std::string out(text);
	std::transform(out.begin(), out.end(), out.begin(),
			[](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
	return out;
}

std::string_view trimmed(std::string_view text)
{
	const std::size_t first = text.find_first_not_of(blanks);
	if(first == std::string_view::npos)
		return {};
	return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string ContentType::parameter(const std::string &name) const
{
	const auto found = parameters.find(name);
	return found == parameters.end() ? "" : found->second;
}

ContentType parse_content_type(std::string_view value)
{
	ContentType out;
	const std::size_t end = std::min(value.find(';'), value.size());
	out.type = lower(trimmed(value.substr(0, end)));
	value.remove_prefix(end);
	while(!value.empty()) {
		value.remove_prefix(1); // the semicolon
		const std::size_t equals = value.find_first_of("=;");
		if(equals == std::string_view::npos) {
			out.parameters.emplace(lower(trimmed(value)), "");
			break;
		}
		const std::string name = lower(trimmed(value.substr(0, equals)));
		const bool has_value = value[equals] == '=';
		value.remove_prefix(equals + (has_value ? 1 : 0));
		while(has_value && !value.empty() && blanks.find(value.front()) != std::string_view::npos)
			value.remove_prefix(1);
		out.parameters.emplace(name, has_value ? take_value(value) : "");
	}
	return out;
}

bmd::Result<Entity> parse_entity(std::string_view text)
{
	std::string_view rest = text;
	while(!rest.empty()) {
		const auto at = static_cast<std::size_t>(rest.data() - text.data());
		const std::string_view line = take_line(rest);
		if(line.empty())
			return Entity{text.substr(0, at), rest};
		const bool continues = line.front() == ' ' || line.front() == '\t';
		if(at == 0 && (continues || line.find(':') == std::string_view::npos))
			return bmd::malformed("the part does not begin with a header");
	}
	return Entity{text, {}};
}

std::string header_value(std::string_view head, std::string_view name)
{
	std::string value;
	bool found = false;
	while(!head.empty()) {
		const std::string_view line = take_line(head);
		const bool continues = !line.empty() && (line.front() == ' ' || line.front() == '\t');
		if(found && !continues)
			break;
		if(found) {
			value.append(" ").append(trimmed(line));
			continue;
		}
		const std::size_t colon = line.find(':');
		if(colon == std::string_view::npos || lower(trimmed(line.substr(0, colon))) != lower(name))
			continue;
		value = trimmed(line.substr(colon + 1));
		found = true;
	}
	return value;
}

bmd::Result<SignedParts> split_signed(std::string_view body, const std::string &boundary)
{
	if(boundary.empty())
		return bmd::malformed("multipart/signed without a boundary");
	const std::string mark = "--" + boundary;
	const std::string between = "\r\n" + mark;
	std::size_t begin = 0;
	if(!body.starts_with(mark + "\r\n")) {
		begin = body.find(between + "\r\n");
		if(begin == std::string_view::npos)
			return bmd::malformed("multipart/signed without its first part");
		begin += 2;
	}
	begin += mark.size() + 2;
	const std::size_t second = body.find(between + "\r\n", begin);
	if(second == std::string_view::npos)
		return bmd::malformed("multipart/signed without its second part");
	const std::size_t signature = second + between.size() + 2;
	const std::size_t end = body.find(between, signature);
	if(end == std::string_view::npos || body.substr(end + between.size(), 2) != "--")
		return bmd::malformed("multipart/signed that does not end after its second part");
	auto entity = parse_entity(body.substr(signature, end - signature));
	if(!entity)
		return entity.error();
	return SignedParts{body.substr(begin, second - begin), *entity};
}

std::string boundary_for(std::string_view content)
{
	// 64 bits that the content determines; looked for all the same
	std::uint64_t hash = 0xcbf29ce484222325;
	for(const char c : content) {
		hash ^= static_cast<unsigned char>(c);
		hash *= 0x00000100000001b3;
	}
	std::string boundary;
	do {
		boundary = "smime";
		for(unsigned i = 0; i < 16; ++i)
			boundary += "0123456789abcdef"[hash >> (4 * i) & 15];
		++hash;
	} while(content.find(boundary) != std::string_view::npos);
	return boundary;
}

std::string to_base64(std::string_view bytes)
{
	constexpr std::size_t bytes_a_line = 48;
	std::string out;
	out.reserve(bytes.size() / 3 * 4 + bytes.size() / bytes_a_line * 2 + 8);
	for(std::size_t i = 0; i < bytes.size(); i += 3) {
		std::uint32_t group = 0;
		const std::size_t there = std::min<std::size_t>(3, bytes.size() - i);
		for(std::size_t j = 0; j < 3; ++j)
			group = group << 8 | (j < there ? static_cast<unsigned char>(bytes[i + j]) : 0U);
		for(std::size_t j = 0; j < 4; ++j)
			out += j <= there ? alphabet[group >> (18 - 6 * j) & 63] : '=';
		if((i + 3) % bytes_a_line == 0 || i + 3 >= bytes.size())
			out += "\r\n";
	}
	return out;
}

bmd::Result<std::string> from_base64(std::string_view text)
{
	std::string out;
	std::uint32_t group = 0;
	unsigned bits = 0;
	std::size_t padding = 0;
	for(const char c : text) {
		if(blanks.find(c) != std::string_view::npos)
			continue;
		const std::size_t digit = alphabet.find(c);
		if(c == '=' && ++padding <= 2)
			continue;
		if(digit == std::string_view::npos || padding != 0)
			return bmd::malformed("neither DER nor base64");
		group = group << 6 | static_cast<std::uint32_t>(digit);
		bits += 6;
		if(bits >= 8) {
			bits -= 8;
			out += static_cast<char>(group >> bits & 255);
		}
	}
	return out;
}

bmd::Result<std::string> der_of(std::string_view body)
{
	constexpr char sequence = 0x30; // also the digit 0, with which base64 of DER never begins
	if(!body.empty() && body.front() == sequence)
		return std::string(body);
	auto bytes = from_base64(body);
	if(bytes && (bytes->empty() || bytes->front() != sequence))
		return bmd::malformed("neither DER nor base64 of it");
	return bytes;
}

} // namespace smime
