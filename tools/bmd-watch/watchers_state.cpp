/// @file watchers_state.cpp  What a terminal knows of the watchers of feeds.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "watchers_state.hpp"

namespace bmd::watch {

bool waits(const WatcherEntry &watcher) noexcept
{
	return watcher.status == WatcherStatus::pending || watcher.status == WatcherStatus::waiting;
}

std::string user_of(const std::string &uri)
{
	const std::size_t begin = uri.find(':') + 1; // 0 when there is none
	const std::size_t at = uri.find('@', begin);
	return uri.substr(begin, at == std::string::npos ? at : at - begin);
}

WatcherNews WatchersState::take(const WatcherInfo &info)
{
	WatcherNews news;
	news.last = version_;
	if(version_ && info.version <= *version_) {
		news.verdict = Verdict::old;
		return news;
	}
	const bool follows = version_ && info.version == *version_ + 1;
	if(!info.full && !follows)
		news.verdict = Verdict::gap;
	else
		version_ = info.version; // after a gap only full state brings it forward
	std::map<Key, WatcherEntry> known = watchers_;
	if(info.full)
		watchers_.clear();
	for(const WatcherList &list : info.lists)
		for(const WatcherEntry &watcher : list.watchers) {
			const Key key{list.resource, watcher.id};
			const auto before = known.find(key);
			if(before == known.end() || before->second.status != watcher.status
					|| before->second.event != watcher.event)
				news.changes.push_back({list.resource, watcher});
			if(watcher.status == WatcherStatus::terminated)
				watchers_.erase(key);
			else
				watchers_[key] = watcher;
		}
	return news;
}

} // namespace bmd::watch
