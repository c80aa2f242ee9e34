/// @file subs_places.cpp  How many subscriptions a person may have at a time.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "subs.hpp"

namespace bmd {

namespace {

// What a person has of a kind, and the one of these that has run out first.
struct Had
{
	std::size_t count = 0;
	Index over = 0;

	[[nodiscard]] bool reach(std::size_t most) const noexcept { return most != 0 && count >= most; }
	void add(Index i, bool may_go) noexcept
	{
		const Store &s = *store();
		++count;
		if(may_go && (over == 0 || s.subs[i].expires < s.subs[over].expires))
			over = i;
	}
};

} // namespace

Admission place_for(std::string_view feed, std::string_view user, bool pending,
		const Places &places, Index &over) noexcept
{
	const Store &s = *store();
	const TimeUs now = mono_now();
	Had all, to_feed, waiting;
	for(Index i = first_sub_of_user(user); i != 0; i = s.subs[i].next_of_user) {
		const SubRec &sub = s.subs[i];
		if(user != sub.user)
			continue;
		const bool may_go = end_of(sub) <= now && !sub.in_hand;
		all.add(i, may_go);
		if(feed == sub.feed)
			to_feed.add(i, may_go);
		if(sub.pending_since != 0)
			waiting.add(i, may_go);
	}
	if(to_feed.reach(places.to_feed)) {
		over = to_feed.over;
		return Admission::too_many_to_feed;
	}
	if(pending && waiting.reach(places.pending)) {
		over = waiting.over;
		return Admission::too_many_pending;
	}
	over = all.over;
	return all.reach(places.all) ? Admission::too_many : Admission::done;
}

} // namespace bmd
