/// @file watching.cpp  Whom live subscriptions show an alert.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "watching.hpp"

#include <algorithm>
#include <vector>

#include "filters.hpp"
#include "permits.hpp"
#include "recipients.hpp"
#include "subs.hpp"

namespace bmd {

namespace {

// Feeds that show an alert, besides those of people.
std::vector<std::string> common_feeds(const AlertRec &alert)
{
	const Store &s = *store();
	std::vector<std::string> feeds{"dev." + std::string(alert.serial)};
	if(is_of_no_device(alert.condition)) {
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

// A feed that a policy hides, or the alert in it, or of which it shows a number only, tells nobody
// anything; nor does one that the person is not responsible for any more.
bool is_shown(
		const Permits &permits, std::string_view user, std::string_view feed, const AlertRec &alert)
{
	if(!permits.on_feed(user, feed).allows())
		return false;
	const Verdict verdict = permits.on_alert(user, feed, alert);
	return verdict.allows() && verdict.shown.alerts;
}

} // namespace

Watching::Watching(const AlertRec &alert)
{
	const Permits permits;
	const TimeUs now = mono_now();
	for(const std::string &feed : common_feeds(alert))
		for(std::size_t slot = 0; slot < store()->limits.notifiers; ++slot)
			for(const SubTarget &target : subs_of(feed, slot))
				if(target.answers && target.ends > now && !hides_urgent(target.filter)
						&& is_shown(permits, target.user, feed, alert))
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
	const Permits permits;
	const auto feeds = common_feeds(alert);
	return std::ranges::any_of(feeds, [&](const std::string &feed) {
		return has_answering_sub(feed, person) && is_shown(permits, person, feed, alert);
	});
}

} // namespace bmd
