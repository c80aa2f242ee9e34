/// @file provision_filters.cpp  Reads the rules that filters of subscriptions name.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// All of them whenever one changes: they are few.

#include <cmath>
#include <limits>

#include "fitting.hpp"
#include "provision_take.hpp"

namespace bmd {

namespace {

constexpr const char *query =
		"SELECT rule_name, type_name, group_name, area_name, metric, condition, priority, kind, "
		"below, above FROM bmd_filter_rule ORDER BY rule_name, filter_rule_id";

void add_name(FilterField field, std::string_view name, FilterCase &one)
{
	if(name.empty())
		return;
	FilterTerm &term = one.emplace_back();
	term.field = field;
	term.name = name;
}

void add_number(FilterField field, double number, FilterCase &one)
{
	if(std::isnan(number))
		return;
	FilterTerm &term = one.emplace_back();
	term.field = field;
	term.number = number;
}

FilterCase case_from(const PgFields &row)
{
	constexpr double absent = std::numeric_limits<double>::quiet_NaN();
	FilterCase one;
	add_name(FilterField::type, row.text(1), one);
	add_name(FilterField::group, row.text(2), one);
	add_name(FilterField::area, row.text(3), one);
	add_name(FilterField::metric, row.text(4), one);
	if(const auto condition = parse_condition(row.text(5)); condition) {
		one.emplace_back().field = FilterField::condition;
		one.back().condition = *condition;
	}
	if(const auto priority = parse_priority(row.text(6)); priority) {
		one.emplace_back().field = FilterField::priority;
		one.back().priority = *priority;
	}
	if(const auto kind = parse_kind(row.text(7)); kind) {
		one.emplace_back().field = FilterField::kind;
		one.back().kind = *kind;
	}
	add_number(FilterField::below, row.number(8, absent), one);
	add_number(FilterField::above, row.number(9, absent), one);
	return one;
}

} // namespace

Result<bool> take_filter_rules(Pg &pg)
{
	FilterRules::Map found;
	auto read = stream_rows(pg, query, [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			found[std::string(row.text(0))].push_back(case_from(row));
	});
	if(read)
		(void)publish_filter_rules(FilterRules(std::move(found))); // without room the old ones stay
	return read;
}

} // namespace bmd
