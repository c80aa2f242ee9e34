/// @file watching.cpp  Whom live subscriptions show the alerts of a device.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "watching.hpp"

#include "subs.hpp"

namespace bmd {

Watching::Watching(Index device)
{
	const Store &s = *store();
	add("dev." + std::string(s.devices[device].serial));
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		if(const FeedRec &feed = s.feeds[s.members[e].feed]; feed.is_group && feed.watched.load())
			add(feed.name);
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
	return users_.contains(person) || has_answering_subs(person);
}

} // namespace bmd
