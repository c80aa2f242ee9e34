/// @file rejections.cpp  Who has rejected an alert.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// An entry is a Rejecter, whose lowest bit is 1, or, when nobody has looked at it yet, that
/// without this bit but never 0.

#include "rejections.hpp"

#include "feeds.hpp"

namespace bmd {

namespace {

constexpr Rejecter looked_at = 1;

} // namespace

Rejecter rejecter_of(std::string_view who) noexcept
{
	const std::uint64_t hash = hash_name(who);
	const auto folded = static_cast<Rejecter>(hash ^ hash >> 32);
	return (folded < 2 ? 2 : folded) | looked_at;
}

void note_rejection(Index slot, std::string_view who, bool fresh) noexcept
{
	const Rejecter rejecter = rejecter_of(who);
	for(auto &entry : store()->escalation[slot].rejected) {
		Rejecter there = 0;
		const Rejecter wanted = fresh ? rejecter & ~looked_at : rejecter;
		if(entry.compare_exchange_strong(there, wanted))
			return;
		if((there | looked_at) != rejecter)
			continue;
		entry.store(wanted);
		return;
	}
}

bool has_rejected(Index slot, std::string_view who) noexcept
{
	const Rejecter rejecter = rejecter_of(who);
	for(const auto &entry : store()->escalation[slot].rejected)
		if((entry.load() | looked_at) == rejecter)
			return true;
	return false;
}

std::vector<Rejecter> take_fresh_rejecters(Index slot)
{
	std::vector<Rejecter> fresh;
	fresh.reserve(most_rejecters);
	for(auto &entry : store()->escalation[slot].rejected) {
		Rejecter there = entry.load();
		if(there != 0 && (there & looked_at) == 0
				&& entry.compare_exchange_strong(there, there | looked_at))
			fresh.push_back(there | looked_at);
	}
	return fresh;
}

void forget_rejections(Index slot) noexcept
{
	for(auto &entry : store()->escalation[slot].rejected)
		entry.store(0);
}

bool is_feed_of(Rejecter who, std::string_view feed) noexcept
{
	if(rejecter_of(feed) == who)
		return true;
	if(!feed.starts_with("grp."))
		return false;
	const Store &s = *store();
	for(Index i = 1; i <= s.feeds.used; ++i)
		if(!s.feeds[i].is_group && rejecter_of(s.feeds[i].name) == who
				&& may_watch(s.feeds[i].name, feed))
			return true;
	return false;
}

} // namespace bmd
