/// @file watcher_text.cpp  Rules of watchers as text: for shared memory, and for people.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <array>
#include <charconv>

#include "bmd/watcher.hpp"

namespace bmd {

namespace {

constexpr std::size_t columns = 13;
using Columns = std::array<std::string_view, columns>;

bool split(std::string_view line, Columns &to)
{
	for(std::size_t i = 0; i < columns; ++i) {
		const std::size_t tab = line.find('\t');
		if((tab == std::string_view::npos) != (i + 1 == columns))
			return false;
		to[i] = line.substr(0, tab);
		line.remove_prefix(tab == std::string_view::npos ? line.size() : tab + 1);
	}
	return true;
}

template <class T> bool number(std::string_view text, T &to)
{
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
	return error == std::errc{} && end == text.data() + text.size();
}

bool read_rule(std::string_view line, WatcherRule &rule)
{
	Columns at;
	int scope = 0;
	int medium = 0;
	if(!split(line, at) || !number(at[0], rule.id) || !number(at[1], scope) || scope < 1
			|| scope > 3 || !number(at[9], rule.persistence)
			|| !number(at[10], rule.most_per_minute) || !number(at[11], rule.digest_every)
			|| !number(at[12], medium))
		return false;
	rule.scope = static_cast<WatcherScope>(scope);
	rule.who = at[2];
	rule.team = at[3];
	rule.device_type = at[4];
	rule.group = at[5];
	rule.metric = at[6];
	rule.kind = parse_kind(at[7]);
	rule.priority = parse_priority(at[8]);
	rule.digest_medium = medium != 0;
	return (at[7].empty() || rule.kind) && (at[8].empty() || rule.priority) && !rule.who.empty();
}

std::string joined(const std::vector<std::string> &parts, const char *between)
{
	std::string text;
	for(const std::string &part : parts)
		text += (text.empty() ? "" : between) + part;
	return text;
}

std::string whose(const WatcherRule &rule)
{
	switch(rule.scope) {
		case WatcherScope::person:
			return "of " + rule.who;
		case WatcherScope::team:
			return "of team " + rule.team;
		case WatcherScope::feed:
			break;
	}
	return "of feed " + rule.who;
}

std::string conditions(const WatcherRule &rule)
{
	std::vector<std::string> parts;
	if(!rule.metric.empty())
		parts.push_back("metric " + rule.metric);
	if(!rule.group.empty())
		parts.push_back("group " + rule.group);
	if(!rule.device_type.empty())
		parts.push_back("type " + rule.device_type);
	if(rule.kind)
		parts.emplace_back(to_string(*rule.kind));
	if(rule.priority)
		parts.push_back(std::string(to_string(*rule.priority)) + " priority");
	return parts.empty() ? "" : " (" + joined(parts, ", ") + ")";
}

} // namespace

std::string write_watcher_rules(const std::vector<WatcherRule> &rules)
{
	std::string text;
	for(const WatcherRule &rule : rules) {
		const auto add = [&text](std::string_view field) {
			text += field;
			text += '\t';
		};
		add(std::to_string(rule.id));
		add(std::to_string(static_cast<int>(rule.scope)));
		for(const std::string *field :
				{&rule.who, &rule.team, &rule.device_type, &rule.group, &rule.metric})
			add(*field);
		add(rule.kind ? to_string(*rule.kind) : std::string_view());
		add(rule.priority ? to_string(*rule.priority) : std::string_view());
		add(std::to_string(rule.persistence));
		add(std::to_string(rule.most_per_minute));
		add(std::to_string(rule.digest_every));
		text += rule.digest_medium ? "1\n" : "0\n";
	}
	return text;
}

Result<WatcherRules> read_watcher_rules(std::string_view text)
{
	std::vector<WatcherRule> rules;
	while(!text.empty()) {
		const std::size_t end = text.find('\n');
		WatcherRule &rule = rules.emplace_back();
		if(end == std::string_view::npos || !read_rule(text.substr(0, end), rule))
			return malformed("line " + std::to_string(rules.size()) + " of the rules of watchers");
		text.remove_prefix(end + 1);
	}
	return WatcherRules(std::move(rules));
}

std::string in_words(DurationUs duration)
{
	constexpr DurationUs minute = 60 * second_us;
	constexpr DurationUs hour = 60 * minute;
	if(duration >= hour && duration % hour == 0)
		return std::to_string(duration / hour) + " h";
	if(duration >= minute && duration % minute == 0)
		return std::to_string(duration / minute) + " min";
	if(duration % second_us == 0)
		return std::to_string(duration / second_us) + " s";
	return std::to_string(duration / 1'000) + " ms";
}

std::string in_words(const WatcherRule &rule)
{
	std::vector<std::string> parts;
	if(rule.persistence > 0)
		parts.push_back("told when it has lasted " + in_words(rule.persistence));
	if(rule.most_per_minute > 0)
		parts.push_back("at most " + std::to_string(rule.most_per_minute) + " a minute");
	if(rule.digest_every > 0)
		parts.push_back(std::string(rule.digest_medium ? "low and medium" : "low")
						+ " priority together, " + in_words(rule.digest_every)
						+ " after the first");
	return "rule " + std::to_string(rule.id) + " " + whose(rule) + conditions(rule) + ": "
		   + (parts.empty() ? "told at once" : joined(parts, "; "));
}

} // namespace bmd
