/// @file filter_text.cpp  The server's rules that filters name, as text for shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <array>
#include <charconv>
#include <optional>

#include "bmd/filter.hpp"
#include "dmp_text.hpp"

namespace bmd {

namespace {

// The name, then what each field asks for; empty: it does not matter.
constexpr std::array<FilterField, 9> fields{FilterField::type, FilterField::group,
		FilterField::area, FilterField::metric, FilterField::condition, FilterField::priority,
		FilterField::kind, FilterField::below, FilterField::above};
using Columns = std::array<std::string_view, fields.size() + 1>;

bool split(std::string_view line, Columns &to)
{
	for(std::size_t i = 0; i < to.size(); ++i) {
		const std::size_t tab = line.find('\t');
		if((tab == std::string_view::npos) != (i + 1 == to.size()))
			return false;
		to[i] = line.substr(0, tab);
		line.remove_prefix(tab == std::string_view::npos ? line.size() : tab + 1);
	}
	return true;
}

template <class T> bool take(std::optional<T> read, T &to)
{
	if(read)
		to = *read;
	return read.has_value();
}

bool read_term(FilterField field, std::string_view text, FilterTerm &term)
{
	term.field = field;
	switch(field) {
		case FilterField::condition:
			return take(parse_condition(text), term.condition);
		case FilterField::priority:
			return take(parse_priority(text), term.priority);
		case FilterField::kind:
			return take(parse_kind(text), term.kind);
		case FilterField::below:
		case FilterField::above: {
			const char *const end = text.data() + text.size();
			const auto read = std::from_chars(text.data(), end, term.number);
			return read.ec == std::errc{} && read.ptr == end;
		}
		default:
			term.name = text;
			return true;
	}
}

std::string text_of(const FilterTerm &term)
{
	switch(term.field) {
		case FilterField::condition:
			return std::string(to_string(term.condition));
		case FilterField::priority:
			return std::string(to_string(term.priority));
		case FilterField::kind:
			return std::string(to_string(term.kind));
		case FilterField::below:
		case FilterField::above:
			return dmp::number_text(term.number);
		default:
			return term.name;
	}
}

bool read_case(const Columns &at, FilterCase &one)
{
	for(std::size_t i = 0; i < fields.size(); ++i)
		if(!at[i + 1].empty() && !read_term(fields[i], at[i + 1], one.emplace_back()))
			return false;
	return !at[0].empty();
}

} // namespace

std::string write_filter_rules(const FilterRules &rules)
{
	std::string text;
	for(const auto &[name, cases] : rules.all())
		for(const FilterCase &one : cases) {
			text += name;
			for(const FilterField field : fields) {
				text += '\t';
				for(const FilterTerm &term : one)
					if(term.field == field)
						text += text_of(term);
			}
			text += '\n';
		}
	return text;
}

Result<FilterRules> read_filter_rules(std::string_view text)
{
	FilterRules::Map rules;
	for(int number = 1; !text.empty(); ++number) {
		const std::size_t end = text.find('\n');
		Columns at;
		FilterCase one;
		if(end == std::string_view::npos || !split(text.substr(0, end), at) || !read_case(at, one))
			return malformed("rules of filters: line " + std::to_string(number) + " is no rule");
		rules[std::string(at[0])].push_back(std::move(one));
		text.remove_prefix(end + 1);
	}
	return FilterRules(std::move(rules));
}

} // namespace bmd
