/// @file policy_text.cpp  Policies as text: for shared memory, and for people.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <array>
#include <charconv>

#include "bmd/policy.hpp"

namespace bmd {

namespace {

constexpr std::array<std::string_view, 4> decisions{"allow", "confirm", "block", "polite-block"};
constexpr std::array<std::string_view, 6> watchers{
		"", "person", "role", "team", "anyone", "domain"};
constexpr std::array<std::string_view, 8> resources{
		"", "device", "patient", "feed", "group", "area", "type", "everything"};

struct ShownName
{
	std::string_view name;
	Shown shown;
};
constexpr std::array<ShownName, 5> shown_names{{
		{"full", {true, true, true}},
		{"no-identity", {false, true, true}},
		{"no-location", {true, false, true}},
		{"neither", {false, false, true}},
		{"count", {false, false, false}},
}};

// "R id watcher who resource what decision shown most from until days hours_from hours_until",
// "M members user", "A user feed approved" and "Z zone".
constexpr std::size_t most_columns = 14;
using Columns = std::array<std::string_view, most_columns>;

// How many there are; 0: too many.
std::size_t split(std::string_view line, Columns &to)
{
	for(std::size_t i = 0; i < most_columns; ++i) {
		const std::size_t tab = line.find('\t');
		to[i] = line.substr(0, tab);
		if(tab == std::string_view::npos)
			return i + 1;
		line.remove_prefix(tab + 1);
	}
	return 0;
}

template <class T> bool number(std::string_view text, T &to)
{
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
	return error == std::errc{} && end == text.data() + text.size();
}

template <class Names, class T> bool named(const Names &names, std::string_view name, T &to)
{
	const auto found = std::ranges::find(names, name);
	if(name.empty() || found == names.end())
		return false;
	to = static_cast<T>(found - names.begin());
	return true;
}

bool read_rule(const Columns &at, PolicyRule &rule)
{
	int days = 0;
	const auto decision = parse_decision(at[6]);
	const auto shown = parse_shown(at[7]);
	if(!number(at[1], rule.id) || !named(watchers, at[2], rule.watcher)
			|| !named(resources, at[4], rule.resource) || !decision || !shown
			|| !number(at[8], rule.most) || !number(at[9], rule.from) || !number(at[10], rule.until)
			|| !number(at[11], days) || days < 1 || days > Hours::every_day
			|| !number(at[12], rule.hours.from) || !number(at[13], rule.hours.until))
		return false;
	rule.who = at[3];
	rule.what = at[5];
	rule.decision = *decision;
	rule.shown = *shown;
	rule.hours.days = static_cast<std::uint8_t>(days);
	return rule.who.empty() == (rule.watcher == PolicyWatcher::anyone)
		   && rule.what.empty() == (rule.resource == PolicyResource::everything);
}

void append(std::string &text, std::string_view field)
{
	if(!text.empty() && text.back() != '\n')
		text += '\t';
	text += field;
}

void append_rule(std::string &text, const PolicyRule &rule)
{
	append(text, "R");
	append(text, std::to_string(rule.id));
	append(text, to_string(rule.watcher));
	append(text, rule.who);
	append(text, to_string(rule.resource));
	append(text, rule.what);
	append(text, to_string(rule.decision));
	append(text, to_string(rule.shown));
	append(text, std::to_string(rule.most));
	append(text, std::to_string(rule.from));
	append(text, std::to_string(rule.until));
	append(text, std::to_string(rule.hours.days));
	append(text, std::to_string(rule.hours.from));
	append(text, std::to_string(rule.hours.until));
	text += '\n';
}

// What a text holds, line by line.
struct Parts
{
	std::vector<PolicyRule> rules;
	std::vector<Policy::Pair> members;
	std::map<Policy::Pair, bool> answers;
	std::string zone;

	bool take(std::string_view line)
	{
		Columns at;
		const std::size_t count = split(line, at);
		if(at[0] == "R" && count == most_columns)
			return read_rule(at, rules.emplace_back());
		if(at[0] == "M" && count == 3)
			members.emplace_back(at[1], at[2]);
		else if(at[0] == "A" && count == 4 && (at[3] == "0" || at[3] == "1"))
			answers[{std::string(at[1]), std::string(at[2])}] = at[3] == "1";
		else if(at[0] == "Z" && count == 2)
			zone = at[1];
		else
			return false;
		return true;
	}
};

std::string times_of(const PolicyRule &rule)
{
	std::string text;
	if(rule.from != 0)
		text += ", from " + format_time(rule.from);
	if(rule.until != 0)
		text += ", until " + format_time(rule.until);
	if(!rule.hours.always())
		text += ", at certain hours";
	return text;
}

std::string named_words(std::string_view kind, const std::string &name)
{
	return std::string(kind) + (name.empty() ? "" : " " + name);
}

} // namespace

std::string_view to_string(Decision decision) noexcept
{
	return decisions.at(static_cast<std::size_t>(decision));
}

std::string_view to_string(PolicyWatcher watcher) noexcept
{
	return watchers.at(static_cast<std::size_t>(watcher));
}

std::string_view to_string(PolicyResource resource) noexcept
{
	return resources.at(static_cast<std::size_t>(resource));
}

std::string_view to_string(const Shown &shown) noexcept
{
	for(const ShownName &one : shown_names)
		if(one.shown == shown)
			return one.name;
	return "count";
}

Result<Decision> parse_decision(std::string_view text)
{
	Decision decision{};
	if(!named(decisions, text, decision))
		return malformed("\"" + std::string(text) + "\" is no decision of a policy");
	return decision;
}

Result<Shown> parse_shown(std::string_view text)
{
	for(const ShownName &one : shown_names)
		if(one.name == text)
			return one.shown;
	return malformed("\"" + std::string(text) + "\" is nothing that a policy shows");
}

std::string in_words(const PolicyRule &rule)
{
	std::string text = "rule " + std::to_string(rule.id) + " for "
					   + named_words(to_string(rule.watcher), rule.who) + ", "
					   + named_words(to_string(rule.resource), rule.what) + ": "
					   + std::string(to_string(rule.decision));
	if(!rule.shown.full())
		text += ", " + std::string(to_string(rule.shown));
	if(rule.most != 0)
		text += ", at most " + std::to_string(rule.most)
				+ (rule.most == 1 ? " subscription" : " subscriptions");
	return text + times_of(rule);
}

std::string write_policy(const Policy &policy)
{
	std::string text;
	for(const PolicyRule &rule : policy.rules())
		append_rule(text, rule);
	const auto add = [&text](std::initializer_list<std::string_view> fields) {
		for(const std::string_view field : fields)
			append(text, field);
		text += '\n';
	};
	for(const auto &[of, user] : policy.members())
		add({"M", of, user});
	for(const auto &[pair, approved] : policy.answers())
		add({"A", pair.first, pair.second, approved ? "1" : "0"});
	add({"Z", policy.zone()});
	return text;
}

Result<Policy> read_policy(std::string_view text)
{
	Parts parts;
	for(std::size_t line = 1; !text.empty(); ++line) {
		const std::size_t end = text.find('\n');
		if(end == std::string_view::npos || !parts.take(text.substr(0, end)))
			return malformed("line " + std::to_string(line) + " of the policies");
		text.remove_prefix(end + 1);
	}
	return Policy(std::move(parts.rules), std::move(parts.members), std::move(parts.answers),
			std::move(parts.zone));
}

} // namespace bmd
