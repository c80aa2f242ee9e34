/// @file subs.cpp  The table of live subscriptions.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "subs.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <set>

#include "bmd_host.h"
#include "changes.hpp"
#include "filters.hpp"
#include "watchers.hpp"

namespace bmd {

namespace {

constexpr char separator = '~'; // not in the name of any feed
constexpr std::size_t dialog_digits = 16;

Index &feed_bucket(std::string_view feed) noexcept
{
	Store &s = *store();
	return s.sub_feed_hash.head[hash_name(feed) & s.sub_feed_hash.mask];
}

Index &dialog_bucket(std::uint64_t dialog) noexcept
{
	Store &s = *store();
	return s.sub_dialog_hash.head[dialog & s.sub_dialog_hash.mask];
}

Index &user_bucket(std::string_view user) noexcept
{
	Store &s = *store();
	return s.sub_user_hash.head[hash_name(user) & s.sub_user_hash.mask];
}

Index find(std::uint64_t dialog) noexcept
{
	const Store &s = *store();
	Index i = dialog_bucket(dialog);
	while(i != 0 && s.subs[i].dialog != dialog)
		i = s.subs[i].next_of_dialog;
	return i;
}

void unlink(Index &head, Index gone, Index SubRec::*next) noexcept
{
	Store &s = *store();
	Index *link = &head;
	while(*link != 0 && *link != gone)
		link = &(s.subs[*link].*next);
	if(*link == gone)
		std::atomic_ref(*link).store(s.subs[gone].*next); // may_have_subs() takes no lock
}

void drop(Index i, WatcherEvent why) noexcept
{
	Store &s = *store();
	SubRec &sub = s.subs[i];
	note_gone(sub, why);
	unlink(feed_bucket(sub.feed), i, &SubRec::next_of_feed);
	unlink(dialog_bucket(sub.dialog), i, &SubRec::next_of_dialog);
	unlink(user_bucket(sub.user), i, &SubRec::next_of_user);
	if(sub.filter != 0) {
		release_filter(sub.filter);
		note_filter_ended(sub.dialog);
	}
	const std::uint32_t generation = sub.generation;
	sub = SubRec{};
	sub.generation = generation + 1;
	sub.next_of_feed = s.subs.free;
	s.subs.free = i;
	--s.sub_count;
}

Index take_slot() noexcept
{
	Store &s = *store();
	const Index i = s.subs.free;
	if(i != 0) {
		s.subs.free = s.subs[i].next_of_feed;
		return i;
	}
	return s.subs.used < s.subs.size ? ++s.subs.used : 0;
}

bool live(SubRef ref) noexcept
{
	const Store &s = *store();
	return ref.slot != 0 && ref.slot <= s.subs.used && s.subs[ref.slot].dialog != 0
		   && s.subs[ref.slot].generation == ref.generation;
}

// Did its terminal take the last NOTIFY?
bool answers(const SubRec &sub) noexcept
{
	return sub.failures == 0 && sub.retry == 0;
}

SubTarget target_of(Index i) noexcept
{
	const SubRec &sub = store()->subs[i];
	SubTarget target{{i, sub.generation}, sub.dialog, sub.full_at, {}, answers(sub),
			sub.pending_since != 0, sub.filter, end_of(sub)};
	copy_text(target.user, name_size, sub.user);
	return target;
}

} // namespace

std::uint64_t dialog_of(std::string_view call_id, std::string_view tag) noexcept
{
	std::uint64_t hash = hash_name(call_id) * 0x9e3779b97f4a7c15 ^ hash_name(tag);
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93; // its low bits choose bucket and notifier
	hash ^= hash >> 32;
	return hash == 0 ? 1 : hash;
}

std::string resource_of(std::string_view feed, std::uint64_t dialog)
{
	char digits[dialog_digits + 1];
	for(std::size_t i = dialog_digits; i-- > 0; dialog >>= 4)
		digits[i] = "0123456789abcdef"[dialog & 15];
	std::string name(feed);
	name += separator;
	return name.append(digits, dialog_digits);
}

Resource parse_resource(std::string_view user) noexcept
{
	const std::size_t at = user.rfind(separator);
	if(at == std::string_view::npos || user.size() - at - 1 != dialog_digits)
		return {user, 0};
	std::uint64_t dialog = 0;
	const auto [end, error] =
			std::from_chars(user.data() + at + 1, user.data() + user.size(), dialog, 16);
	if(error != std::errc() || end != user.data() + user.size())
		return {user, 0};
	return {user.substr(0, at), dialog};
}

namespace {

void enter(Index i, std::uint64_t dialog, std::string_view feed, std::string_view user) noexcept
{
	Store &s = *store();
	SubRec &sub = s.subs[i];
	const std::uint32_t generation = sub.generation;
	sub = SubRec{};
	sub.generation = generation;
	sub.dialog = dialog;
	copy_text(sub.feed, feed_size, feed);
	copy_text(sub.user, name_size, user);
	sub.next_of_feed = feed_bucket(feed);
	std::atomic_ref(feed_bucket(feed)).store(i);
	sub.next_of_dialog = dialog_bucket(dialog);
	dialog_bucket(dialog) = i;
	sub.next_of_user = user_bucket(sub.user);
	user_bucket(sub.user) = i;
	++s.sub_count;
	if(is_winfo(feed))
		s.watchers.subscribers.fetch_add(1);
}

} // namespace

Admission put_sub(std::uint64_t dialog, std::string_view feed, std::string_view user,
		TimeUs expires, SubRef &ref, bool pending, const Places &places) noexcept
{
	Store &s = *store();
	if(feed.size() >= feed_size || user.size() >= name_size)
		return Admission::unknown;
	const std::lock_guard<Mutex> guard(s.sub_lock);
	Index i = find(dialog);
	if(i != 0)
		return user == s.subs[i].user ? Admission::known : Admission::taken;
	Index over = 0;
	for(Admission place{};
			(place = place_for(feed, user, pending, places, over)) != Admission::done;) {
		if(over == 0)
			return place;
		drop(over, WatcherEvent::timeout);
	}
	i = take_slot();
	if(i == 0) {
		count(count_subscriptions_lost_memory);
		return Admission::full;
	}
	enter(i, dialog, feed, user);
	s.subs[i].expires = expires + grace;
	s.subs[i].pending_since = pending ? wall_now() : 0;
	ref = SubRef{i, s.subs[i].generation};
	return Admission::done;
}

Index first_sub_of_user(std::string_view user) noexcept
{
	return user_bucket(user);
}

std::vector<PendingSub> pending_subs()
{
	Store &s = *store();
	std::vector<PendingSub> pending;
	{
		const std::lock_guard<Mutex> guard(s.sub_lock);
		for(Index i = 1; i <= s.subs.used; ++i)
			if(s.subs[i].dialog != 0 && s.subs[i].pending_since != 0)
				pending.push_back({s.subs[i].user, s.subs[i].feed, s.subs[i].pending_since});
	}
	std::ranges::sort(pending, {}, &PendingSub::since);
	return pending;
}

void prolong_sub(SubRef ref, TimeUs expires) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.sub_lock);
	if(!live(ref))
		return;
	s.subs[ref.slot].expires = expires + grace;
	s.subs[ref.slot].in_hand = false;
}

void end_sub(SubRef ref, WatcherEvent why) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	if(live(ref))
		drop(ref.slot, why);
}

std::vector<SubTarget> subs_of(std::string_view feed, std::size_t slot)
{
	Store &s = *store();
	std::vector<SubTarget> targets;
	const std::lock_guard<Mutex> guard(s.sub_lock);
	for(Index i = feed_bucket(feed); i != 0; i = s.subs[i].next_of_feed)
		if(notifier_of(s.subs[i].dialog) == slot && feed == s.subs[i].feed)
			targets.push_back(target_of(i));
	return targets;
}

bool may_have_subs(std::string_view feed) noexcept
{
	return std::atomic_ref(feed_bucket(feed)).load() != 0;
}

bool has_answering_sub(std::string_view feed, std::string_view user) noexcept
{
	Store &s = *store();
	const TimeUs now = mono_now();
	const std::lock_guard<Mutex> guard(s.sub_lock);
	Index i = feed_bucket(feed);
	while(i != 0
			&& (feed != s.subs[i].feed || user != s.subs[i].user || !answers(s.subs[i])
					|| end_of(s.subs[i]) <= now || hides_urgent(s.subs[i].filter)))
		i = s.subs[i].next_of_feed;
	return i != 0;
}

std::vector<std::string> feeds_with_subs(std::size_t slot)
{
	Store &s = *store();
	std::set<std::string> feeds;
	const std::lock_guard<Mutex> guard(s.sub_lock);
	for(Index i = 1; i <= s.subs.used; ++i)
		if(s.subs[i].dialog != 0 && notifier_of(s.subs[i].dialog) == slot)
			feeds.emplace(s.subs[i].feed);
	return {feeds.begin(), feeds.end()};
}

std::optional<std::string> find_sub(SubRef ref, SubTarget &target)
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.sub_lock);
	if(!live(ref))
		return std::nullopt;
	target = target_of(ref.slot);
	return s.subs[ref.slot].feed;
}

std::optional<std::string> find_dialog(std::uint64_t dialog, SubTarget &target)
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.sub_lock);
	const Index i = find(dialog);
	if(i == 0)
		return std::nullopt;
	target = target_of(i);
	return s.subs[i].feed;
}

SubRec *live_sub(SubRef ref) noexcept
{
	return live(ref) ? &store()->subs[ref.slot] : nullptr;
}

Index first_sub_of(std::string_view feed) noexcept
{
	return feed_bucket(feed);
}

std::size_t notifier_of(std::uint64_t dialog) noexcept
{
	return (dialog >> 40) % store()->limits.notifiers;
}

Mutex &dialog_mutex(std::uint64_t dialog) noexcept
{
	return store()->dialog_lock[(dialog >> 20) % dialog_stripes];
}

void drop_sub(SubRef ref, WatcherEvent why) noexcept
{
	drop(ref.slot, why);
}

bool row_is_news(std::uint64_t dialog, std::uint64_t hash, std::uint32_t cseq) noexcept
{
	const Store &s = *store();
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	const Index i = find(dialog);
	return i == 0 || s.subs[i].row != hash || cseq - s.subs[i].row_cseq >= counters_step / 2;
}

void note_row(std::uint64_t dialog, std::uint64_t hash, std::uint32_t cseq) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.sub_lock);
	if(const Index i = find(dialog); i != 0) {
		s.subs[i].row = hash;
		s.subs[i].row_cseq = cseq;
	}
}

void look_after_subs() noexcept
{
	Store &s = *store();
	const TimeUs now = mono_now();
	for(Index i = 1; i <= s.subs.used; ++i) {
		// Looked at without the lock first: a stale look costs one round.
		const SubRec &sub = s.subs[i];
		if(sub.dialog == 0 || (sub.expires > now && (sub.retry == 0 || sub.retry > now)))
			continue;
		const std::lock_guard<Mutex> guard(s.sub_lock);
		if(sub.dialog == 0)
			continue;
		if(sub.expires <= now) {
			drop(i, WatcherEvent::timeout);
		} else if(sub.retry != 0 && sub.retry <= now) {
			s.subs[i].retry = 0;
			queue_refresh_sub({i, sub.generation}, sub.dialog);
		}
	}
}

} // namespace bmd
