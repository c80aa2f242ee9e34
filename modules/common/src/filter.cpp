/// @file filter.cpp  Which alerts a subscription asks for.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/filter.hpp"

#include <algorithm>
#include <set>

namespace bmd {

namespace {

bool among(const std::vector<std::string_view> &names, std::string_view name)
{
	return std::ranges::find(names, name) != names.end();
}

// A storm is of many devices, and tells of those of the feed.
bool of_devices(const FilterSubject &subject) noexcept
{
	return subject.condition == Condition::storm;
}

bool condition_holds(Condition wanted, Condition condition) noexcept
{
	return wanted == condition || (wanted == Condition::stale && condition == Condition::storm);
}

// What is too low is asked for by "<", what is too high by ">".  NaN compares as false.
bool compares(const FilterTerm &term, const FilterSubject &subject) noexcept
{
	const bool below = term.field == FilterField::below;
	if(subject.condition != (below ? Condition::low : Condition::high))
		return false;
	const auto number = static_cast<float>(term.number);
	return (term.or_equal && subject.worst == number)
		   || (below ? subject.worst < number : subject.worst > number);
}

bool holds(const FilterTerm &term, const FilterRules &rules, const FilterSubject &subject)
{
	switch(term.field) {
		case FilterField::serial:
			return of_devices(subject) || term.name == subject.serial;
		case FilterField::type:
			return of_devices(subject) || term.name == subject.type;
		case FilterField::group:
			return of_devices(subject) || among(subject.groups, term.name);
		case FilterField::area: // whoever must not know is not told by what is left out
			return of_devices(subject) || !subject.area_shown || among(subject.areas, term.name);
		case FilterField::metric:
			return of_devices(subject) || term.name == subject.metric;
		case FilterField::condition:
			return condition_holds(term.condition, subject.condition);
		case FilterField::priority:
			return subject.highest >= term.priority;
		case FilterField::kind:
			return subject.kind == term.kind;
		case FilterField::below:
		case FilterField::above:
			return compares(term, subject);
		case FilterField::rule:
			return rules.fits(term.name, subject);
	}
	return false;
}

bool holds(const FilterCase &all, const FilterRules &rules, const FilterSubject &subject)
{
	return std::ranges::all_of(
			all, [&](const FilterTerm &term) { return holds(term, rules, subject); });
}

bool fits(const FilterItem &item, const FilterRules &rules, const FilterSubject &subject)
{
	if(!holds(item.of, rules, subject))
		return false;
	return item.events.empty() || std::ranges::any_of(item.events, [&](const FilterCase &event) {
		return holds(event, rules, subject);
	});
}

void add_names(const FilterCase &terms, FilterField field, std::set<std::string> &names)
{
	for(const FilterTerm &term : terms)
		if(term.field == field)
			names.insert(term.name);
}

} // namespace

bool FilterRules::fits(std::string_view name, const FilterSubject &subject) const
{
	static const FilterRules none; // a rule does not name rules
	const auto found = rules_.find(name);
	return found != rules_.end() && std::ranges::any_of(found->second, [&](const FilterCase &one) {
		return holds(one, none, subject);
	});
}

bool Filter::takes_all() const
{
	return std::ranges::any_of(items, [](const FilterItem &item) {
		const bool every =
				item.events.empty() || std::ranges::any_of(item.events, &FilterCase::empty);
		return item.until == 0 && item.of.empty() && every;
	});
}

bool Filter::fits(const FilterRules &rules, const FilterSubject &subject, TimeUs now) const
{
	if(subject.urgent && !hides_urgent)
		return true;
	return std::ranges::any_of(items, [&](const FilterItem &item) {
		return (item.until == 0 || now < item.until) && bmd::fits(item, rules, subject);
	});
}

std::vector<TimeUs> Filter::ends() const
{
	std::set<TimeUs> moments;
	for(const FilterItem &item : items)
		if(item.until != 0)
			moments.insert(item.until);
	return {moments.begin(), moments.end()};
}

std::vector<std::string> Filter::names(FilterField field) const
{
	std::set<std::string> names;
	for(const FilterItem &item : items) {
		add_names(item.of, field, names);
		for(const FilterCase &event : item.events)
			add_names(event, field, names);
	}
	return {names.begin(), names.end()};
}

} // namespace bmd
