/// @file headers.cpp  Headers of a SIP request under a signature.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "headers.hpp"

#include <array>

#include "mime.hpp"

namespace smime {

namespace {

struct Name
{
	std::string_view full;
	std::string_view compact;
};
constexpr std::array<Name, 9> names{
		{{"From", "f"}, {"To", "t"}, {"Call-ID", "i"}, {"CSeq", ""}, {"Contact", "m"},
				{"Event", "o"}, {"Expires", ""}, {"Subscription-State", ""}, {"Route", ""}}};
constexpr auto full_names = [] {
	std::array<std::string_view, names.size()> all{};
	for(std::size_t i = 0; i < names.size(); ++i)
		all[i] = names[i].full;
	return all;
}();

bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// White space beside one of these means nothing; between two words it divides them: "3600" is not
// "360 0", of which a server reads 360.
bool divides(char c)
{
	return std::string_view("()<>@,;:\\\"/[]?={}").find(c) != std::string_view::npos;
}

// Outside of quoted strings white space is left out, or is one blank between two words.
std::string without_blanks(std::string_view value)
{
	std::string out;
	bool quoted = false;
	bool apart = false;
	for(std::size_t i = 0; i < value.size(); ++i) {
		const char c = value[i];
		if(quoted && c == '\\' && i + 1 < value.size()) {
			out += c;
			out += value[++i];
			continue;
		}
		if(!quoted && is_blank(c)) {
			apart = true;
			continue;
		}
		if(apart && !out.empty() && !divides(out.back()) && !divides(c))
			out += ' ';
		apart = false;
		if(c == '"')
			quoted = !quoted;
		out += c;
	}
	return out;
}

// All values of one name, as if they stood in one header; one without a value counts, since it may
// be what is read.
std::string all_of(const Headers &headers, std::string_view name)
{
	std::string all;
	bool first = true;
	for(const Header &header : headers) {
		if(header.name != name)
			continue;
		const std::string value = without_blanks(header.value);
		if(!first)
			all += ',';
		all += value.empty() ? "," : value;
		first = false;
	}
	return all;
}

// Those that are left are the last ones.
bool is_rest(const std::string &all, const std::string &rest)
{
	if(rest.empty() || rest == all)
		return true;
	return all.size() > rest.size() && all.ends_with(rest)
		   && all[all.size() - rest.size() - 1] == ',';
}

} // namespace

std::span<const std::string_view> covered_names() noexcept
{
	return full_names;
}

std::string_view covered_name(std::string_view name)
{
	const std::string wanted = lower(trimmed(name));
	for(const Name &one : names)
		if(!wanted.empty() && (wanted == lower(one.full) || wanted == one.compact))
			return one.full;
	return {};
}

std::string to_lines(const Headers &headers)
{
	std::string lines;
	for(const Header &header : headers)
		lines.append(header.name).append(": ").append(trimmed(header.value)).append("\r\n");
	return lines;
}

Headers from_lines(std::string_view head)
{
	Headers headers;
	bool continues = false; // the last header was one of ours
	while(!head.empty()) {
		const std::size_t end = std::min(head.find('\n'), head.size());
		const std::string_view line = head.substr(0, end);
		head.remove_prefix(std::min(end + 1, head.size()));
		if(!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
			if(continues)
				headers.back().value.append(" ").append(trimmed(line));
			continue;
		}
		const std::size_t colon = line.find(':');
		const std::string_view name =
				colon == std::string_view::npos ? "" : covered_name(line.substr(0, colon));
		continues = !name.empty();
		if(continues)
			headers.push_back({std::string(name), std::string(trimmed(line.substr(colon + 1)))});
	}
	return headers;
}

std::string difference(const Headers &signed_headers, const Headers &request)
{
	for(const std::string_view name : full_names) {
		const std::string before = all_of(signed_headers, name);
		const std::string now = all_of(request, name);
		const bool same = name == "Route" ? is_rest(before, now) : before == now;
		if(same)
			continue;
		const char *const what = before.empty() ? " is not covered by the signature"
								 : now.empty()  ? " was removed"
												: " was changed";
		return "the header " + std::string(name) + what;
	}
	return "";
}

} // namespace smime
