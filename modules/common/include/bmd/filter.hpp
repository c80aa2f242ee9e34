/// @file filter.hpp  Which alerts of a feed one subscription asks for, and until when.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: what is asked about an alert, and the time, are passed in.  How a filter is written stands
/// in dmp_filter.hpp.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/alert.hpp"
#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd {

/// What one term of a filter looks at.
enum class FilterField : std::uint8_t
{
	serial = 1, ///< the device itself
	type = 2,   ///< its type
	group = 3,
	area = 4,
	metric = 5, ///< or alarm of the device
	condition = 6,
	priority = 7, ///< at least this one
	kind = 8,
	below = 9, ///< too low, and less than this number
	above = 10,
	rule = 11 ///< by the server's rule of this name
};

/// Which members hold depends on `field`.
struct FilterTerm
{
	FilterField field = FilterField::metric;
	std::string name{}; ///< serial, type, group, area, metric, rule
	Condition condition = Condition::low;
	Priority priority = Priority::low;
	AlertKind kind = AlertKind::technical;
	double number = 0;
	bool or_equal = false; ///< the number itself as well

	bool operator==(const FilterTerm &) const = default;
};

/// All of them hold; without any: every alert.
using FilterCase = std::vector<FilterTerm>;

/// One Variable of a Subscribe.
struct FilterItem
{
	FilterCase of;                  ///< its device and its variable
	std::vector<FilterCase> events; ///< any of them; none: every change
	TimeUs until = 0;               ///< wall clock: it is over then; 0: never
};

/// An alert as a filter sees it.  Of what can change the worst counts, so that an alert that was
/// once asked for is asked for until its end.  Views are the caller's.
struct FilterSubject
{
	std::string_view serial;
	std::string_view type;
	std::string_view metric;
	std::vector<std::string_view> groups;
	std::vector<std::string_view> areas;
	Condition condition = Condition::low;
	AlertKind kind = AlertKind::physiological;
	Priority highest = Priority::low; ///< that it has had
	float worst = 0;                  ///< of low the lowest, of high the highest value; NaN: none
	bool urgent = false;              ///< of high priority, ever, or somebody was called for it
	bool area_shown = true;           ///< the watcher may know where the device is
};

/// The server's rules that filters name: each a list of cases, any of which is enough.
class FilterRules
{
public:
	using Map = std::map<std::string, std::vector<FilterCase>, std::less<>>;

	FilterRules() = default;
	explicit FilterRules(Map rules) : rules_(std::move(rules)) {}
	[[nodiscard]] bool has(std::string_view name) const { return rules_.contains(name); }
	[[nodiscard]] bool empty() const noexcept { return rules_.empty(); }
	/// A rule that is not there (any more) fits nothing.
	[[nodiscard]] bool fits(std::string_view name, const FilterSubject &subject) const;
	[[nodiscard]] const Map &all() const noexcept { return rules_; }

private:
	Map rules_;
};

/// Lines of fields with tabs between them, for shared memory; no name may hold control characters.
[[nodiscard]] std::string write_filter_rules(const FilterRules &rules);
/// Errors: malformed, with the number of the line.
[[nodiscard]] Result<FilterRules> read_filter_rules(std::string_view text);

/// What one subscription asks for: any of the items.  What is urgent is told whatever they say,
/// unless the filter says in so many words that it is not (`hides_urgent`).
struct Filter
{
	std::vector<FilterItem> items;
	bool hides_urgent = false;

	/// Nothing is ever left out.
	[[nodiscard]] bool takes_all() const;
	[[nodiscard]] bool fits(
			const FilterRules &rules, const FilterSubject &subject, TimeUs now) const;
	/// When items end, each moment once, in order.
	[[nodiscard]] std::vector<TimeUs> ends() const;
	/// Names of this kind that it mentions.
	[[nodiscard]] std::vector<std::string> names(FilterField field) const;
};

} // namespace bmd
