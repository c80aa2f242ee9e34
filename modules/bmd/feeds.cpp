/// @file feeds.cpp  Who sees which device: feeds, memberships, and who may watch them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <unordered_map>

#include "registry.hpp"

namespace bmd {

namespace {

constexpr std::string_view group_prefix = "grp.";
constexpr std::string_view device_prefix = "dev.";

Index &bucket(std::string_view name) noexcept
{
	Store &s = *store();
	return s.feed_hash.head[hash_name(name) & s.feed_hash.mask];
}

std::uint64_t mix(std::string_view name) noexcept
{
	return hash_name(name) * 0x9e3779b97f4a7c15;
}

// A sum that tells two sets of devices apart, whatever their order.
std::uint64_t fingerprint(const FeedRec &feed) noexcept
{
	const Store &s = *store();
	std::uint64_t sum = 0;
	for(Index e = feed.first_device; e != 0; e = s.members[e].next_of_feed)
		if(s.members[e].device != 0)
			sum += mix(s.devices[s.members[e].device].serial);
	return sum;
}

using Fingerprints = std::unordered_map<std::string, std::uint64_t>;

// Of every feed: which devices it carries and who may watch it.  Of devices' feeds only watched
// ones.
Fingerprints fingerprints()
{
	const Store &s = *store();
	Fingerprints sums;
	for(Index i = 1; i <= s.feeds.used; ++i) {
		const FeedRec &feed = s.feeds[i];
		if(feed.name[0] == '\0')
			continue;
		sums[feed.name] += fingerprint(feed);
		for(Index g = feed.first_group; g != 0; g = s.groups[g].next)
			sums[s.feeds[s.groups[g].group].name] += 3 * mix(feed.name);
	}
	for(Index i = 1; i <= s.devices.used; ++i) {
		if(!s.devices[i].watched.load() || s.devices[i].serial[0] == '\0')
			continue;
		std::uint64_t &sum = sums[std::string(device_prefix) + s.devices[i].serial];
		for(Index e = s.devices[i].first_member; e != 0; e = s.members[e].next_of_device)
			sum += mix(s.feeds[s.members[e].feed].name);
	}
	return sums;
}

void forget_memberships() noexcept
{
	Store &s = *store();
	s.members.used = 0;
	s.groups.used = 0;
	for(Index i = 1; i <= s.feeds.used; ++i) {
		s.feeds[i].first_device = 0;
		s.feeds[i].first_group = 0;
	}
	for(Index i = 1; i <= s.devices.used; ++i)
		s.devices[i].first_member = 0;
}

Index put_feed(std::string_view name, std::uint32_t generation) noexcept
{
	Store &s = *store();
	Index i = find_feed(name);
	if(i == 0) {
		if(s.feeds.free != 0) {
			i = s.feeds.free;
			s.feeds.free = s.feeds[i].next_hash;
		} else if(s.feeds.used < s.feeds.size) {
			i = ++s.feeds.used;
		} else {
			return 0;
		}
		FeedRec &feed = *new (&s.feeds[i]) FeedRec();
		copy_text(feed.name, name_size, name);
		feed.is_group = name.starts_with(group_prefix);
		feed.watched.store(s.loaded);
		feed.next_hash = bucket(name);
		bucket(name) = i;
	}
	s.feeds[i].generation = generation;
	return i;
}

void drop_old_feeds(std::uint32_t generation) noexcept
{
	Store &s = *store();
	for(Index i = 1; i <= s.feeds.used; ++i) {
		FeedRec &feed = s.feeds[i];
		if(feed.name[0] == '\0' || feed.generation == generation)
			continue;
		Index *link = &bucket(feed.name);
		while(*link != 0 && *link != i)
			link = &s.feeds[*link].next_hash;
		if(*link == i)
			*link = feed.next_hash;
		new (&feed) FeedRec();
		feed.next_hash = s.feeds.free;
		s.feeds.free = i;
	}
}

bool add_member(const MemberRow &row, std::uint32_t generation) noexcept
{
	Store &s = *store();
	const Index device = find_device(row.serial);
	if(device == 0)
		return true; // its own change is on the way and comes with its memberships
	const Index feed = put_feed(row.feed, generation);
	if(feed == 0 || s.members.used >= s.members.size)
		return false;
	const Index e = ++s.members.used;
	s.members[e] =
			MemberRec{device, feed, s.devices[device].first_member, s.feeds[feed].first_device};
	s.devices[device].first_member = e;
	s.feeds[feed].first_device = e;
	return true;
}

bool add_watcher(const WatcherRow &row, std::uint32_t generation) noexcept
{
	Store &s = *store();
	const Index person = put_feed(row.username, generation);
	if(person == 0)
		return false;
	if(row.feed == row.username)
		return true;
	const Index group = put_feed(row.feed, generation);
	if(group == 0 || s.groups.used >= s.groups.size)
		return false;
	const Index g = ++s.groups.used;
	s.groups[g] = GroupRec{group, s.feeds[person].first_group};
	s.feeds[person].first_group = g;
	return true;
}

} // namespace

Index find_feed(std::string_view name) noexcept
{
	const Store &s = *store();
	Index i = bucket(name);
	while(i != 0 && name != s.feeds[i].name)
		i = s.feeds[i].next_hash;
	return i;
}

std::vector<std::string> replace_feeds(const std::vector<MemberRow> &members,
		const std::vector<WatcherRow> &watchers, bool &complete)
{
	static std::uint32_t generation = 0;
	const Fingerprints before = fingerprints();
	forget_memberships();
	++generation;
	complete = true;
	for(const WatcherRow &row : watchers)
		complete = add_watcher(row, generation) && complete;
	for(const MemberRow &row : members)
		complete = add_member(row, generation) && complete;
	drop_old_feeds(generation);

	std::vector<std::string> changed;
	const Fingerprints after = fingerprints();
	for(const auto &[name, sum] : after) {
		const auto old = before.find(name);
		if(old == before.end() || old->second != sum)
			changed.push_back(name);
	}
	for(const auto &[name, sum] : before)
		if(after.find(name) == after.end())
			changed.push_back(name);
	return changed;
}

bool may_watch(std::string_view username, std::string_view feed) noexcept
{
	const Store &s = *store();
	const Index person = find_feed(username);
	if(person == 0 || s.feeds[person].is_group)
		return false;
	if(username == feed)
		return true;
	if(feed.starts_with(group_prefix)) {
		const Index group = find_feed(feed);
		for(Index g = s.feeds[person].first_group; g != 0 && group != 0; g = s.groups[g].next)
			if(s.groups[g].group == group)
				return true;
		return false;
	}
	if(!feed.starts_with(device_prefix))
		return false;
	const Index device = find_device(feed.substr(device_prefix.size()));
	if(device == 0)
		return false;
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		if(s.members[e].feed == person)
			return true;
	return false;
}

} // namespace bmd
