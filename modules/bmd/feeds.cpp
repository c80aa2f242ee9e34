/// @file feeds.cpp  Who sees which device: feeds, memberships, and who may watch them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "feeds.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "changes.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "table.hpp"
#include "tend.hpp"

namespace bmd {

namespace {

constexpr std::string_view group_prefix = "grp.";
constexpr std::string_view device_prefix = "dev.";
constexpr char team_prefix = '@';
constexpr char area_prefix = '#';
constexpr std::size_t most_names = 10'000; // then everybody is told

Index &head_of(std::string_view name) noexcept
{
	return bucket(store()->feed_hash, hash_name(name));
}

Index make_feed(std::string_view name) noexcept
{
	Store &s = *store();
	if(const Index known = find_feed(name); known != 0)
		return known;
	const Index i = take(s.feeds, &FeedRec::next_hash);
	if(i == 0)
		return 0;
	FeedRec &feed = *new (&s.feeds[i]) FeedRec();
	copy_text(feed.name, name_size, name);
	const bool unseen = name.starts_with(team_prefix) || name.starts_with(area_prefix);
	feed.is_group = unseen || name.starts_with(group_prefix);
	feed.watched.store(s.loaded && !unseen);
	link_hash(s.feeds, head_of(name), i);
	return i;
}

void free_feed(Index i) noexcept
{
	Store &s = *store();
	forget_recipient_feed(i);
	unlink_hash(s.feeds, head_of(s.feeds[i].name), i);
	new (&s.feeds[i]) FeedRec();
	give_back(s.feeds, i, &FeedRec::next_hash);
}

// A group lives by its devices and its watchers.
void drop_empty_group(Index i) noexcept
{
	const FeedRec &feed = store()->feeds[i];
	if(feed.is_group && feed.first_device == 0 && feed.watchers == 0)
		free_feed(i);
}

// What policies and filters say of areas and groups holds for every feed that shows the device.
void note_place(Index feed, Index device, FeedChanges &changes)
{
	const std::string_view name = store()->feeds[feed].name;
	if(name.starts_with(area_prefix) || name.starts_with(group_prefix))
		changes.all_of(device);
}

// `link` is what points to the membership in its device's list; afterwards to the next one.
void take_away(Index &link, FeedChanges &changes)
{
	Store &s = *store();
	const Index e = link;
	const MemberRec member = s.members[e];
	link = member.next_of_device;
	if(member.prev_of_feed != 0)
		s.members[member.prev_of_feed].next_of_feed = member.next_of_feed;
	else
		s.feeds[member.feed].first_device = member.next_of_feed;
	if(member.next_of_feed != 0)
		s.members[member.next_of_feed].prev_of_feed = member.prev_of_feed;
	s.members[e] = MemberRec{};
	give_back(s.members, e, &MemberRec::next_of_device);
	changes.feed(member.feed);
	changes.device(member.device);
	note_place(member.feed, member.device, changes);
	if(s.devices[member.device].first_alert != 0)
		note_due(0); // who has accepted one of them goes on seeing it
	drop_empty_group(member.feed);
}

Index &link_to(Index e) noexcept
{
	Store &s = *store();
	Index *link = &s.devices[s.members[e].device].first_member;
	while(*link != e)
		link = &s.members[*link].next_of_device;
	return *link;
}

} // namespace

void FeedChanges::add(std::string name)
{
	if(names_.size() < most_names)
		names_.insert(std::move(name));
	else
		all_ = true;
}

void FeedChanges::feed(Index feed)
{
	const FeedRec &from = store()->feeds[feed];
	if(from.watched.load())
		add(from.name);
}

void FeedChanges::device(Index device)
{
	const DeviceRec &from = store()->devices[device];
	if(from.watched.load())
		add(std::string(device_prefix) + from.serial);
}

void FeedChanges::all_of(Index device)
{
	const Store &s = *store();
	this->device(device);
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		feed(s.members[e].feed);
}

void FeedChanges::person(Index person)
{
	feed(person);
	if(store()->loaded)
		comers_.insert(store()->feeds[person].name);
}

void FeedChanges::answers_for(Index person)
{
	if(store()->watchers.subscribers.load() != 0)
		people_.insert(store()->feeds[person].name);
}

void FeedChanges::tell() noexcept
{
	if(all_)
		queue_refresh_all();
	// Feeds that are gone are not among all.
	for(const std::string &name : names_) {
		queue_refresh(name);
		queue_refresh_winfo(name);
	}
	for(const std::string &name : people_)
		queue_refresh_winfo(name);
	queue_refresh_people(comers_);
	names_.clear();
	people_.clear();
	comers_.clear();
	all_ = false;
}

Index find_feed(std::string_view name) noexcept
{
	return find_named(store()->feeds, store()->feed_hash, name, &FeedRec::name);
}

std::string_view group_of(const FeedRec &feed) noexcept
{
	std::string_view name = feed.name;
	if(!name.starts_with(group_prefix))
		return {};
	name.remove_prefix(group_prefix.size());
	return name;
}

std::int32_t team_of(const FeedRec &feed) noexcept
{
	const std::string_view name = feed.name;
	std::int32_t number = 0;
	if(name.starts_with(team_prefix))
		std::from_chars(name.data() + 1, name.data() + name.size(), number);
	return number;
}

bool carries(Index feed, Index device) noexcept
{
	const Store &s = *store();
	Index e = s.devices[device].first_member;
	while(e != 0 && s.members[e].feed != feed)
		e = s.members[e].next_of_device;
	return e != 0;
}

std::uint32_t new_mark() noexcept
{
	static std::uint32_t mark = 0; // the only process that changes feeds is the only one to ask
	return ++mark;
}

bool put_member(std::string_view feed_name, std::string_view serial, std::uint32_t mark,
		FeedChanges &changes)
{
	Store &s = *store();
	const Index device = find_device(serial);
	if(device == 0)
		return true;
	const Index feed = make_feed(feed_name);
	if(feed == 0)
		return false;
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device) {
		if(s.members[e].feed == feed) {
			s.members[e].mark = mark;
			return true;
		}
	}
	const Index e = take(s.members, &MemberRec::next_of_device);
	if(e == 0) {
		drop_empty_group(feed);
		return false;
	}
	Index &first = s.feeds[feed].first_device;
	s.members[e] = MemberRec{device, feed, s.devices[device].first_member, first, 0, mark};
	if(first != 0)
		s.members[first].prev_of_feed = e;
	first = e;
	s.devices[device].first_member = e;
	changes.feed(feed);
	changes.device(device);
	note_place(feed, device, changes);
	return true;
}

void sweep_members(Index device, std::uint32_t mark, FeedChanges &changes)
{
	Store &s = *store();
	for(Index *link = &s.devices[device].first_member; *link != 0;) {
		if(s.members[*link].mark != mark)
			take_away(*link, changes);
		else
			link = &s.members[*link].next_of_device;
	}
}

void sweep_feed(Index feed, std::uint32_t mark, RegistryWrite &lock, FeedChanges &changes)
{
	Store &s = *store();
	for(Index e = s.feeds[feed].first_device; e != 0; lock.breathe()) {
		const Index next = s.members[e].next_of_feed;
		if(s.members[e].mark != mark)
			take_away(link_to(e), changes);
		e = next;
	}
}

namespace {

void take_from_group(Index &link, FeedChanges &changes)
{
	Store &s = *store();
	const Index g = link;
	const Index group = s.groups[g].group;
	link = s.groups[g].next;
	give_back(s.groups, g, &GroupRec::next);
	--s.feeds[group].watchers;
	changes.feed(group);
	drop_empty_group(group);
}

void leave_group(Index person, Index &link, FeedChanges &changes)
{
	take_from_group(link, changes);
	changes.answers_for(person);
}

bool watches(Index person, Index group) noexcept
{
	const Store &s = *store();
	Index g = s.feeds[person].first_group;
	while(g != 0 && s.groups[g].group != group)
		g = s.groups[g].next;
	return g != 0;
}

bool add_to_group(Index person, std::string_view name, FeedChanges &changes)
{
	Store &s = *store();
	const Index group = make_feed(name);
	if(group == 0)
		return false;
	if(watches(person, group))
		return true;
	const Index g = take(s.groups, &GroupRec::next);
	if(g == 0) {
		drop_empty_group(group);
		return false;
	}
	s.groups[g] = GroupRec{group, s.feeds[person].first_group};
	s.feeds[person].first_group = g;
	++s.feeds[group].watchers;
	changes.feed(group);
	changes.answers_for(person);
	return true;
}

} // namespace

bool put_person(std::string_view name, std::span<const std::string> groups, FeedChanges &changes)
{
	Store &s = *store();
	const bool is_new = find_feed(name) == 0;
	const Index person = make_feed(name);
	if(person == 0)
		return false;
	if(is_new)
		changes.person(person);
	for(Index *link = &s.feeds[person].first_group; *link != 0;) {
		const char *group = s.feeds[s.groups[*link].group].name;
		if(std::find(groups.begin(), groups.end(), group) == groups.end())
			leave_group(person, *link, changes);
		else
			link = &s.groups[*link].next;
	}
	bool complete = true;
	for(const std::string &group : groups)
		complete = add_to_group(person, group, changes) && complete;
	return complete;
}

void drop_person(Index person, RegistryWrite &lock, FeedChanges &changes)
{
	Store &s = *store();
	while(s.feeds[person].first_group != 0)
		take_from_group(s.feeds[person].first_group, changes);
	sweep_feed(person, new_mark(), lock, changes);
	changes.person(person);
	free_feed(person);
	note_due(0); // what this person had accepted is to be handed back
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
		return group != 0 && watches(person, group);
	}
	if(!feed.starts_with(device_prefix))
		return false;
	const Index device = find_device(feed.substr(device_prefix.size()));
	return device != 0 && carries(person, device);
}

} // namespace bmd
