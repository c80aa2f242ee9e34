/// @file watching.cpp  Whom live subscriptions show an alert.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "watching.hpp"

#include <algorithm>
#include <vector>

#include "recipients.hpp"
#include "subs.hpp"

namespace bmd {

namespace {

// Feeds that show an alert, besides those of people.
std::vector<std::string> common_feeds(const AlertRec &alert)
{
	const Store &s = *store();
	std::vector<std::string> feeds{"dev." + std::string(alert.serial)};
	if(alert.condition == Condition::storm) {
		for(const Index i : recipients_of(alert.id))
			if(const FeedRec &feed = s.feeds[i]; feed.is_group && feed.watched.load())
				feeds.emplace_back(feed.name);
		return feeds;
	}
	const Index device = alert.device;
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		if(const FeedRec &feed = s.feeds[s.members[e].feed]; feed.is_group && feed.watched.load())
			feeds.emplace_back(feed.name);
	return feeds;
}

} // namespace

Watching::Watching(const AlertRec &alert)
{
	for(const std::string &feed : common_feeds(alert))
		add(feed);
}

void Watching::add(std::string_view feed)
{
	for(std::size_t slot = 0; slot < store()->limits.notifiers; ++slot)
		for(const SubTarget &target : subs_of(feed, slot))
			if(target.answers)
				users_.emplace(target.user);
}

bool Watching::has(std::string_view person) const
{
	return users_.contains(person) || has_answering_sub(person, person);
}

bool shown_by_subscription(const AlertRec &alert, std::string_view person)
{
	if(has_answering_sub(person, person))
		return true;
	const auto feeds = common_feeds(alert);
	return std::ranges::any_of(
			feeds, [&](const std::string &feed) { return has_answering_sub(feed, person); });
}

} // namespace bmd
