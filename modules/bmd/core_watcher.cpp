/// @file core_watcher.cpp  What kamcmd asks about rules of watchers, behind bmd_core.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Needs no database: everything stands in shared memory.

#include <algorithm>
#include <map>
#include <shared_mutex>

#include "bmd/code.hpp"
#include "bmd_core_watcher.h"
#include "core_bridge.hpp"
#include "duty_text.hpp"
#include "feeds.hpp"
#include "held_words.hpp"
#include "subs.hpp"
#include "watcher_text.hpp"

namespace bmd {

namespace {

// Whose it is; nullopt: it has been told by a full state since, or the subscription has ended.
std::optional<std::string> feed_of(const HeldRec &held, SubTarget &target)
{
	auto feed = find_dialog(held.dialog, target);
	if(feed && target.full_at > held.since)
		feed.reset();
	return feed;
}

Zone hospital()
{
	const auto found = Zone::find(duty_now()->zone);
	return found ? *found : Zone::utc();
}

} // namespace

std::string held_words(const Uuid &alert, const Zone &zone)
{
	std::map<std::string, std::string> people;
	for(const HeldRec &held : all_held()) {
		SubTarget target{};
		if(held.alert.id == alert && feed_of(held, target))
			people.emplace(target.user, zone.format(wall_of(held.until)) + " ("
												+ std::string(to_string(held.why)) + ", rule "
												+ std::to_string(held.rule) + ")");
	}
	std::string text;
	for(const auto &[user, words] : people)
		text.append(text.empty() ? "" : "; ").append(user).append(" until ").append(words);
	return text;
}

} // namespace bmd

namespace {

using bmd::copy_text;
using bmd::put;

struct Refusal
{
	int code = 200;
	std::string reason;
};

bool is_person(std::string_view user)
{
	const bmd::Store &s = *bmd::store();
	const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
	const bmd::Index person = bmd::find_feed(user);
	return person != 0 && !s.feeds[person].is_group;
}

// The rules of this person, and those of group feeds that this person may watch.
void show_rules(std::string_view user, bmd_each_watcher_rule each, void *arg)
{
	const auto rules = bmd::watcher_rules_now();
	for(const bmd::WatcherRule &rule : rules->all()) {
		bool concerns = rule.who == user;
		if(rule.scope == bmd::WatcherScope::feed) {
			const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
			concerns = bmd::may_watch(user, rule.who);
		}
		if(!concerns)
			continue;
		bmd_watcher_rule_view view{};
		view.rule = rule.id;
		put(view.words, bmd::in_words(rule));
		each(&view, arg);
	}
}

void show_held(std::string_view user, bmd_each_held each, void *arg)
{
	const bmd::Zone zone = bmd::hospital();
	std::vector<bmd::HeldRec> all = bmd::all_held();
	std::ranges::sort(all, {}, &bmd::HeldRec::until);
	for(const bmd::HeldRec &held : all) {
		bmd::SubTarget target{};
		const auto feed = bmd::feed_of(held, target);
		if(!feed || user != target.user)
			continue;
		bmd_held_view view{};
		view.rule = held.rule;
		put(view.code, bmd::code_text(held.alert.code));
		put(view.serial, held.alert.serial);
		put(view.metric, bmd::metric_name(held.alert.metric));
		put(view.priority, bmd::to_string(held.alert.priority));
		put(view.state, bmd::to_string(held.alert.state));
		put(view.feed, *feed);
		put(view.why, bmd::to_string(held.why));
		put(view.since, zone.format(held.since));
		put(view.until, zone.format(bmd::wall_of(held.until)));
		each(&view, arg);
	}
}

Refusal show(std::string_view user, bmd_each_watcher_rule rule, bmd_each_held held, void *arg)
{
	if(user.empty())
		return {400, "name a technician"};
	if(!is_person(user))
		return {404, "there is no enabled technician of that name"};
	show_rules(user, rule, arg);
	show_held(user, held, arg);
	return {};
}

} // namespace

int bmd_core_watcher(bmd_text user, bmd_each_watcher_rule rule, bmd_each_held held, void *arg,
		char *reason, size_t reason_size)
{
	try {
		const Refusal refusal = show({user.s, user.len}, rule, held, arg);
		copy_text(reason, reason_size, refusal.reason);
		return refusal.code;
	} catch(const std::exception &failure) {
		copy_text(reason, reason_size, failure.what());
		return 500;
	}
}
