/// @file watchers.cpp  Who watches a feed, waits for it, or has just ceased to.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "watchers.hpp"

#include <algorithm>
#include <mutex>
#include <span>

namespace bmd {

static_assert(watched_name_size == feed_size);
static_assert(sizeof PastWatcher::user == name_size);

namespace {

constexpr Index at_once = 1024; // subscriptions looked at under one lock

WatcherLog &noted() noexcept
{
	return store()->watchers;
}

std::span<PastWatcher> past() noexcept
{
	return noted().past;
}

std::uint64_t next_change() noexcept
{
	Store &s = *store();
	const std::uint64_t change = last_watcher_change() + 1;
	noted().last.store(change);
	if(noted().subscribers.load() != 0)
		for(std::size_t i = 0; i < s.limits.notifiers; ++i)
			s.notifier[i].waker.wake();
	return change;
}

// Of one subscription, also after it was shut out and let in again.  It says nothing of the dialog.
std::uint64_t id_of(std::uint64_t dialog, TimeUs begun_at) noexcept
{
	std::uint64_t id = (dialog ^ 0x5bd1e9955bd1e995) * 0x9e3779b97f4a7c15;
	id = (id ^ id >> 29 ^ static_cast<std::uint64_t>(begun_at)) * 0xbf58476d1ce4e5b9;
	id ^= id >> 32;
	return id == 0 ? 1 : id;
}

void release(PastWatcher &gone) noexcept
{
	noted().lost = std::max(noted().lost, gone.change);
	gone = PastWatcher{};
}

void change_past(PastWatcher &watcher, WatcherStatus status, WatcherEvent event) noexcept
{
	watcher.status = status;
	watcher.event = event;
	watcher.since = mono_now();
	watcher.change = next_change();
}

void give_up(PastWatcher &watcher) noexcept
{
	if(const auto status = next_status(watcher.status, WatcherEvent::giveup, WatcherPolicy::none);
			status) {
		change_past(watcher, *status, WatcherEvent::giveup);
		count(count_watchers_given_up);
	}
}

bool waits(const PastWatcher &watcher) noexcept
{
	return watcher.id != 0 && watcher.status == WatcherStatus::waiting;
}

// One more of this person is to wait: the same feed's gives way, and the oldest when there are too
// many.
void make_room_for(std::string_view feed, std::string_view user) noexcept
{
	std::size_t count = 0;
	PastWatcher *oldest = nullptr;
	for(PastWatcher &watcher : past()) {
		if(!waits(watcher) || user != watcher.user)
			continue;
		if(feed == watcher.feed) {
			give_up(watcher);
			continue;
		}
		++count;
		if(oldest == nullptr || watcher.since < oldest->since)
			oldest = &watcher;
	}
	if(count >= waiting_per_person)
		give_up(*oldest);
}

// A free place, or that of what matters least: what is over, then who has waited the longest, which
// gives way to nobody who is over.
PastWatcher *take_place(WatcherStatus status) noexcept
{
	const auto rank = [](const PastWatcher &watcher) {
		return std::make_pair(
				watcher.id != 0 ? 1 + static_cast<int>(waits(watcher)) : 0, watcher.since);
	};
	PastWatcher &place = *std::ranges::min_element(past(), {}, rank);
	if(waits(place) && status != WatcherStatus::waiting)
		return nullptr;
	if(waits(place))
		count(count_watchers_given_up);
	if(place.id != 0)
		release(place);
	return &place;
}

void remember(std::uint64_t id, std::string_view feed, std::string_view user, TimeUs begun_at,
		WatcherStatus status, WatcherEvent event) noexcept
{
	if(status == WatcherStatus::waiting)
		make_room_for(feed, user);
	PastWatcher *const place = take_place(status);
	if(place == nullptr) {
		noted().lost = next_change();
		return;
	}
	place->id = id;
	place->begun_at = begun_at;
	copy_text(place->feed, sizeof place->feed, feed);
	copy_text(place->user, sizeof place->user, user);
	change_past(*place, status, event);
}

WatcherNow now_of(const SubRec &sub)
{
	return {id_of(sub.dialog, sub.watcher.begun_at), sub.feed, sub.user, sub.watcher.begun_at,
			sub.watcher.status, sub.watcher.event};
}

WatcherNow now_of(const PastWatcher &watcher)
{
	return {watcher.id, watcher.feed, watcher.user, watcher.begun_at, watcher.status,
			watcher.event};
}

bool wanted(WatcherStatus status, std::uint64_t change, std::uint64_t after) noexcept
{
	if(status == WatcherStatus::init)
		return false;
	return after != 0 ? change > after : status != WatcherStatus::terminated;
}

void add_live(const std::string &feed, std::uint64_t after, std::vector<WatcherNow> &found)
{
	Store &s = *store();
	if(!may_have_subs(feed))
		return;
	const std::lock_guard<Mutex> guard(s.sub_lock);
	for(Index i = first_sub_of(feed); i != 0; i = s.subs[i].next_of_feed) {
		const SubRec &sub = s.subs[i];
		if(feed == sub.feed && wanted(sub.watcher.status, sub.watcher.change, after))
			found.push_back(now_of(sub));
	}
}

WatcherRec *find(SubRef ref) noexcept
{
	SubRec *const sub = live_sub(ref);
	return sub == nullptr ? nullptr : &sub->watcher;
}

} // namespace

std::string winfo_key(std::string_view feed)
{
	return winfo_mark + std::string(feed);
}

bool is_winfo(std::string_view key) noexcept
{
	return key.starts_with(winfo_mark);
}

std::string_view winfo_feed(std::string_view key) noexcept
{
	return is_winfo(key) ? key.substr(1) : key;
}

std::uint64_t last_watcher_change() noexcept
{
	return std::max<std::uint64_t>(noted().last.load(), 1); // 0 is told nothing
}

std::vector<WatcherNow> watchers_of(const std::vector<std::string> &feeds, std::uint64_t after)
{
	std::vector<WatcherNow> found;
	{
		const std::lock_guard<Mutex> guard(store()->sub_lock);
		for(const PastWatcher &watcher : past())
			if(watcher.id != 0 && wanted(watcher.status, watcher.change, after)
					&& std::ranges::binary_search(feeds, std::string_view(watcher.feed)))
				found.push_back(now_of(watcher));
	}
	for(const std::string &feed : feeds)
		add_live(feed, after, found);
	return found;
}

std::vector<WatcherNow> waiting_watchers()
{
	std::vector<WatcherNow> found;
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	for(const PastWatcher &watcher : past())
		if(waits(watcher))
			found.push_back(now_of(watcher));
	return found;
}

void note_watcher(SubRec &sub, WatcherEvent event) noexcept
{
	WatcherRec &rec = sub.watcher;
	const WatcherPolicy policy =
			sub.pending_since != 0 ? WatcherPolicy::none : WatcherPolicy::accept;
	const auto status = next_status(rec.status, event, policy);
	if(is_winfo(sub.feed) || !status)
		return;
	if(rec.status == WatcherStatus::init)
		rec.begun_at = wall_now();
	rec.status = *status;
	rec.event = event;
	rec.change = next_change();
}

void note_shown(SubRec &sub) noexcept
{
	if(sub.watcher.status == WatcherStatus::pending) {
		note_watcher(sub, WatcherEvent::approved);
	} else if(sub.watcher.status == WatcherStatus::terminated) {
		sub.watcher.status = WatcherStatus::init; // one of its own: what is over stays over
		note_watcher(sub, WatcherEvent::subscribe);
	}
}

void note_gone(const SubRec &sub, WatcherEvent event) noexcept
{
	if(is_winfo(sub.feed)) {
		noted().subscribers.fetch_sub(1);
		return;
	}
	const auto status = next_status(sub.watcher.status, event, WatcherPolicy::accept);
	if(status && sub.watcher.status != WatcherStatus::init)
		remember(id_of(sub.dialog, sub.watcher.begun_at), sub.feed, sub.user, sub.watcher.begun_at,
				*status, event);
}

void watcher_accepted(SubRef ref) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	SubRec *const sub = live_sub(ref);
	if(sub == nullptr)
		return;
	note_watcher(*sub, WatcherEvent::subscribe);
	for(PastWatcher &watcher : past())
		if(waits(watcher) && std::string_view(sub->user) == watcher.user
				&& std::string_view(sub->feed) == watcher.feed)
			give_up(watcher); // it is here again
}

void watcher_restored(SubRef ref) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	if(SubRec *const sub = live_sub(ref); sub != nullptr) {
		note_watcher(*sub, WatcherEvent::subscribe);
		sub->watcher.begun_at = 0;
	}
}

void watcher_asked(std::string_view feed, std::string_view user) noexcept
{
	const TimeUs now = wall_now();
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	for(PastWatcher &watcher : past())
		if(waits(watcher) && user == watcher.user && feed == watcher.feed) {
			watcher.since = mono_now(); // the same question once more
			return;
		}
	const std::uint64_t asked = hash_name(feed) ^ hash_name(user) << 1;
	remember(id_of(asked, now), feed, user, now, WatcherStatus::waiting, WatcherEvent::timeout);
}

void past_watcher_event(std::uint64_t id, WatcherEvent event) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	for(PastWatcher &watcher : past()) {
		const auto status = next_status(watcher.status, event, WatcherPolicy::none);
		if(watcher.id == id && status)
			change_past(watcher, *status, event);
	}
}

void look_after_watchers() noexcept
{
	const TimeUs now = mono_now();
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	for(PastWatcher &watcher : past()) {
		if(waits(watcher) && watcher.since + give_up_after <= now)
			give_up(watcher);
		else if(watcher.id != 0 && !waits(watcher) && watcher.since + past_kept <= now)
			release(watcher);
	}
}

std::vector<std::uint64_t> winfo_dialogs(std::size_t slot)
{
	Store &s = *store();
	std::vector<std::uint64_t> dialogs;
	for(Index first = 1; first <= s.subs.used; first += at_once) {
		const std::lock_guard<Mutex> guard(s.sub_lock);
		const Index end = std::min<Index>(first + at_once - 1, s.subs.used);
		for(Index i = first; i <= end; ++i)
			if(s.subs[i].dialog != 0 && is_winfo(s.subs[i].feed)
					&& notifier_of(s.subs[i].dialog) == slot)
				dialogs.push_back(s.subs[i].dialog);
	}
	return dialogs;
}

std::uint64_t told_up_to(SubRef ref) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	const WatcherRec *const rec = find(ref);
	return rec == nullptr ? 0 : rec->change;
}

void note_winfo(SubRef ref, std::uint64_t change, bool told) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	SubRec *const sub = live_sub(ref);
	if(sub == nullptr)
		return;
	sub->watcher.change = change;
	if(told)
		sub->full_at = wall_now();
}

bool watchers_known_since(std::uint64_t change) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	return change != 0 && change >= noted().lost;
}

} // namespace bmd
