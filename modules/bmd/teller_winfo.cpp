/// @file teller_winfo.cpp  Tells those who answer for feeds of their watchers.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Alerts go first: of many subscriptions a few at a time are told, between looks at the rings.

#include <mutex>
#include <shared_mutex>

#include "registry.hpp"
#include "teller.hpp"
#include "winfo_documents.hpp"

namespace bmd {

namespace {

constexpr std::size_t told_at_once = 16;
constexpr DurationUs look_pause = second_us / 5;
constexpr std::string_view device_prefix = "dev.";

bool exists(std::string_view feed) noexcept
{
	return (feed.starts_with(device_prefix) ? find_device(feed.substr(device_prefix.size()))
											: find_feed(feed))
		   != 0;
}

bool tells(WinfoSight sight) noexcept
{
	return sight != WinfoSight::none;
}

} // namespace

WatcherEvent shut_out_by(std::string_view feed)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	return exists(feed) ? WatcherEvent::rejected : WatcherEvent::noresource;
}

// Full state, or what changed after that number.  Within the dialog's lock.
void Teller::send_winfo(const std::string &key, const SubTarget &target, std::uint64_t after)
{
	const std::string feed(winfo_feed(key));
	if(winfo_sight_now(target.user, feed) == WinfoSight::none)
		return send_last(key, target, NotifyState::rejected);
	const WinfoPages pages = winfo_pages(target.user, feed, after);
	begin_sending(target.ref, target.user);
	set_sending_winfo();
	for(const std::string &text : pages.texts)
		send_(feed_uri(resource_of(feed, target.dialog)), text);
	end_sending();
	note_winfo(target.ref, pages.change, !pages.texts.empty());
}

// Returns how long it is to wait still; 0: there is nothing more to be done for it.
DurationUs Teller::tell_watchers_to(std::uint64_t dialog)
{
	SubTarget target{};
	const auto key = find_dialog(dialog, target);
	if(!key || !is_winfo(*key) || !target.answers)
		return 0; // one that does not answer gets full state
	const DurationUs since = wall_now() - target.full_at;
	if(since >= 0 && since < winfo_pause)
		return winfo_pause - since;
	const std::lock_guard<Mutex> guard(dialog_mutex(dialog));
	const std::uint64_t after = told_up_to(target.ref);
	send_winfo(*key, target, watchers_known_since(after) ? after : 0);
	return 0;
}

bool Teller::tell_watchers()
{
	WinfoSeen &seen = holding_.winfo;
	const TimeUs now = mono_now();
	if(store()->watchers.subscribers.load() == 0) {
		seen = {};
		return false;
	}
	if(now < seen.look_at)
		return false;
	if(const std::uint64_t change = last_watcher_change(); change != seen.change) {
		seen.change = change;
		for(const std::uint64_t dialog : winfo_dialogs(slot_))
			seen.due.try_emplace(dialog, now);
	}
	std::size_t told = 0;
	for(auto at = seen.due.begin(); at != seen.due.end() && told < told_at_once;) {
		if(at->second > now) {
			++at;
			continue;
		}
		++told;
		if(const DurationUs wait = tell_watchers_to(at->first); wait != 0)
			(at++)->second = now + wait;
		else
			at = seen.due.erase(at);
	}
	seen.look_at = told == told_at_once ? 0 : now + look_pause;
	return told == told_at_once;
}

// Whoever is blocked politely from now on, or is not any more, is told nothing.
void Teller::follow_winfo(const Permits &before, const Permits &after, const std::string &key,
		const SubTarget &target)
{
	bool differs = false;
	{
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		for(const std::string &feed : winfo_feeds(winfo_feed(key)))
			differs = differs
					  || tells(winfo_sight(before, target.user, feed))
								 != tells(winfo_sight(after, target.user, feed));
	}
	if(differs)
		send_full(key, target);
}

void Teller::answer_waiting(const Permits &permits)
{
	for(const WatcherNow &watcher : waiting_watchers()) {
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		const Standing standing = standing_of(permits.on_feed(watcher.user, watcher.feed));
		if(standing == Standing::pending)
			continue;
		const bool let_in = standing == Standing::active || standing == Standing::decoy;
		past_watcher_event(watcher.id, let_in                 ? WatcherEvent::approved
									   : exists(watcher.feed) ? WatcherEvent::rejected
															  : WatcherEvent::noresource);
	}
}

} // namespace bmd
