/// @file watcher.cpp  Rules of watchers: which one fits, and what may wait.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/watcher.hpp"

#include <algorithm>
#include <tuple>

namespace bmd {

namespace {

// The smallest of those that fit is in force.
auto order_of(const WatcherRule &rule)
{
	return std::tuple(rule.scope, rule.metric.empty(), rule.group.empty(), rule.device_type.empty(),
			!rule.kind.has_value(), !rule.priority.has_value(), rule.id);
}

bool fits(const WatcherRule &rule, const WatcherSubject &subject)
{
	return (rule.metric.empty() || rule.metric == subject.metric)
		   && (rule.device_type.empty() || rule.device_type == subject.device_type)
		   && (!rule.kind || *rule.kind == subject.kind)
		   && (!rule.priority || *rule.priority == subject.priority)
		   && (rule.group.empty() || std::ranges::count(subject.groups, rule.group) > 0);
}

// What comes too soon after the others waits for the oldest of them to be a minute ago.
TimeUs next_free(const WatcherRule &rule, const WatchedPast &past, TimeUs now) noexcept
{
	if(rule.most_per_minute == 0 || past.told.size() < rule.most_per_minute)
		return now;
	return past.told[past.told.size() - rule.most_per_minute] + rate_window;
}

bool digested(const WatcherRule &rule, Priority priority) noexcept
{
	return rule.digest_every > 0
		   && (priority == Priority::low || (priority == Priority::medium && rule.digest_medium));
}

} // namespace

WatcherRules::WatcherRules(std::vector<WatcherRule> rules) : rules_(std::move(rules))
{
	for(std::size_t i = 0; i < rules_.size(); ++i)
		(rules_[i].scope == WatcherScope::feed ? feeds_ : people_)[rules_[i].who].push_back(i);
	for(auto *among : {&people_, &feeds_})
		for(auto &[name, places] : *among)
			std::ranges::sort(places, {}, [this](std::size_t i) { return order_of(rules_[i]); });
}

bool WatcherRules::any(std::string_view user, std::string_view feed) const
{
	return people_.contains(user) || feeds_.contains(feed);
}

const WatcherRule *WatcherRules::find(const std::map<std::string, Places, std::less<>> &among,
		std::string_view name, const WatcherSubject &subject) const
{
	const auto found = among.find(name);
	if(found == among.end())
		return nullptr;
	for(const std::size_t i : found->second)
		if(fits(rules_[i], subject))
			return &rules_[i];
	return nullptr;
}

const WatcherRule *WatcherRules::find(
		std::string_view user, std::string_view feed, const WatcherSubject &subject) const
{
	const WatcherRule *rule = find(people_, user, subject);
	return rule != nullptr ? rule : find(feeds_, feed, subject);
}

std::string_view to_string(HoldReason why) noexcept
{
	switch(why) {
		case HoldReason::none:
			return "none";
		case HoldReason::persistence:
			return "persistence";
		case HoldReason::rate:
			return "rate";
		case HoldReason::digest:
			return "digest";
		case HoldReason::chattering:
			return "chattering";
	}
	return "?";
}

Hold hold_back(const WatcherRule *rule, const WatchedAlert &alert, const WatchedPast &past,
		TimeUs now) noexcept
{
	static const WatcherRule no_rule;
	const WatcherRule &by = rule == nullptr ? no_rule : *rule;
	Hold hold;
	if(alert.priority == Priority::high || alert.was_high || alert.escalated)
		return hold;
	if(alert.unknown && by.persistence > 0)
		hold.lasts_at = alert.began + by.persistence;
	if(hold.lasts_at > now && !alert.open) {
		hold.never = true;
		return hold;
	}
	hold.until = now;
	const auto wait = [&hold](TimeUs until, HoldReason why) {
		if(until <= hold.until)
			return;
		hold.until = until;
		hold.why = why;
	};
	wait(hold.lasts_at, HoldReason::persistence);
	if(digested(by, alert.priority))
		wait((past.digest_since == 0 ? now : past.digest_since) + by.digest_every,
				HoldReason::digest);
	wait(next_free(by, past, now), HoldReason::rate);
	if(alert.chatters > 0 && !alert.open)
		wait(now + alert.chatters, HoldReason::chattering);
	else if(alert.chatters > 0 && alert.is_back && past.held_since != 0)
		wait(past.held_since + alert.chatters, HoldReason::chattering);
	if(hold.why == HoldReason::none)
		hold = Hold{.counts = by.most_per_minute > 0};
	return hold;
}

} // namespace bmd
