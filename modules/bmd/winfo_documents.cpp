/// @file winfo_documents.cpp  Watcher information of a feed, as one person may see it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "winfo_documents.hpp"

#include <algorithm>
#include <map>
#include <shared_mutex>
#include <tuple>

#include "documents.hpp"
#include "registry.hpp"

namespace bmd {

namespace {

constexpr std::string_view device_prefix = "dev.";
constexpr std::string_view group_prefix = "grp.";

std::string uri_of(const std::string &user)
{
	return user.find('@') == std::string::npos ? feed_uri(user) : "sip:" + user;
}

std::string hexadecimal(std::uint64_t number)
{
	std::string text(16, '0');
	for(std::size_t i = text.size(); i-- > 0; number >>= 4)
		text[i] = "0123456789abcdef"[number & 15];
	return text;
}

bool still_waits(const WatcherNow &watcher) noexcept
{
	return watcher.status == WatcherStatus::pending || watcher.status == WatcherStatus::waiting;
}

// Who waits comes first, then by feed.
bool before(const WatcherNow &a, const WatcherNow &b) noexcept
{
	if(still_waits(a) != still_waits(b))
		return still_waits(a);
	return std::tie(a.feed, a.begun_at, a.id) < std::tie(b.feed, b.begun_at, b.id);
}

WatcherEntry entry_of(const WatcherNow &watcher, TimeUs now)
{
	WatcherEntry entry;
	entry.id = hexadecimal(watcher.id);
	entry.uri = uri_of(watcher.user);
	entry.status = watcher.status;
	entry.event = watcher.event;
	if(watcher.begun_at != 0)
		entry.subscribed =
				static_cast<std::uint64_t>(std::max<TimeUs>(0, now - watcher.begun_at) / second_us);
	return entry;
}

// Those that this person is shown.  Caller holds the registry lock.
std::vector<WatcherNow> visible(
		std::string_view user, std::vector<WatcherNow> watchers, const Permits &permits)
{
	std::map<std::string, WinfoSight> known;
	std::erase_if(watchers, [&](const WatcherNow &watcher) {
		const auto [at, is_new] = known.try_emplace(watcher.feed, WinfoSight::none);
		if(is_new)
			at->second = winfo_sight(permits, user, watcher.feed);
		return at->second == WinfoSight::none
			   || (at->second == WinfoSight::own && user != watcher.user);
	});
	std::ranges::sort(watchers, before);
	if(watchers.size() > most_watchers)
		watchers.resize(most_watchers);
	return watchers;
}

std::string write_page(const std::vector<WatcherNow> &watchers, std::size_t at, std::size_t count,
		bool full, std::string_view feed)
{
	WatcherInfo info;
	info.full = full;
	const TimeUs now = wall_now();
	if(full) // also when nobody watches it
		info.lists.push_back({feed_uri(feed), {}});
	for(std::size_t i = at; i < at + count; ++i) {
		const std::string resource = feed_uri(watchers[i].feed);
		auto list = std::ranges::find(info.lists, resource, &WatcherList::resource);
		if(list == info.lists.end())
			list = info.lists.insert(info.lists.end(), WatcherList{resource, {}});
		list->watchers.push_back(entry_of(watchers[i], now));
	}
	return write_winfo(info);
}

} // namespace

WinfoSight winfo_sight(const Permits &permits, std::string_view user, std::string_view feed)
{
	if(!may_watch(user, feed)) // whatever a rule lets see: seeing is not answering
		return WinfoSight::none;
	const Verdict verdict = permits.on_feed(user, feed);
	if(!verdict.shown.alerts)
		return WinfoSight::none;
	if(standing_of(verdict) == Standing::decoy)
		return WinfoSight::own;
	return verdict.allows() ? WinfoSight::all : WinfoSight::none;
}

WinfoSight winfo_sight_now(std::string_view user, std::string_view feed)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	return winfo_sight(Permits(), user, feed);
}

std::vector<std::string> winfo_feeds(std::string_view feed)
{
	const Store &s = *store();
	std::vector<std::string> feeds{std::string(feed)};
	const Index person = find_feed(feed);
	if(person != 0 && !s.feeds[person].is_group) {
		for(Index e = s.feeds[person].first_device; e != 0; e = s.members[e].next_of_feed)
			if(const DeviceRec &device = s.devices[s.members[e].device]; device.watched.load())
				feeds.push_back(std::string(device_prefix) + device.serial);
		for(Index g = s.feeds[person].first_group; g != 0; g = s.groups[g].next)
			if(std::string_view(s.feeds[s.groups[g].group].name).starts_with(group_prefix))
				feeds.emplace_back(s.feeds[s.groups[g].group].name);
	}
	std::ranges::sort(feeds);
	return feeds;
}

WinfoPages winfo_pages(std::string_view user, std::string_view feed, std::uint64_t after)
{
	WinfoPages pages;
	pages.change = last_watcher_change();
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	const std::vector<WatcherNow> watchers =
			visible(user, watchers_of(winfo_feeds(feed), after), Permits());
	for(std::size_t at = 0; at < watchers.size() || (after == 0 && pages.texts.empty());) {
		const std::size_t count = std::min(watchers_per_document, watchers.size() - at);
		pages.texts.push_back(
				write_page(watchers, at, count, after == 0 && pages.texts.empty(), feed));
		at += count;
	}
	return pages;
}

std::string empty_winfo(std::string_view feed)
{
	return write_page({}, 0, 0, true, feed);
}

} // namespace bmd
