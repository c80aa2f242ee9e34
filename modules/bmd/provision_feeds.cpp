/// @file provision_feeds.cpp  Takes people, their digests and memberships into the store.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <map>

#include "bmd_host.h"
#include "credentials.hpp"
#include "documents.hpp"
#include "provision_take.hpp"

namespace bmd {

namespace {

// People and the groups they are assigned to.
using People = std::map<std::string, std::vector<std::string>, std::less<>>;

Result<bool> read_people(Pg &pg, const Keys &usernames, People &people)
{
	return stream_rows(pg, permits_query(pg, usernames), [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows) {
			std::vector<std::string> &groups = people[std::string(row.text(0))];
			if(row.text(1) != row.text(0))
				groups.emplace_back(row.text(1));
		}
	});
}

Result<bool> put_members(Pg &pg, const std::string &query, std::uint32_t mark, FeedChanges &changes)
{
	return stream_rows(pg, query, [&, mark](std::span<const PgFields> rows) {
		RegistryWrite lock;
		expect_devices(rows, 1);
		for(const PgFields &row : rows) {
			if(!put_member(row.text(0), row.text(1), mark, changes))
				no_room("a membership of device", row.text(1));
			lock.breathe();
		}
	});
}

Result<bool> take_personal_feed(Pg &pg, const std::string &name, FeedChanges &changes)
{
	const std::uint32_t mark = new_mark();
	auto read = put_members(pg, person_members_query(pg, name), mark, changes);
	if(!read)
		return read;
	RegistryWrite lock;
	if(const Index person = find_feed(name); person != 0)
		sweep_feed(person, mark, lock, changes);
	return true;
}

// Drops who is known but no longer among `people`.
void drop_people(const Keys &usernames, const People &people, FeedChanges &changes)
{
	Store &s = *store();
	RegistryWrite lock;
	const auto look = [&](Index i) {
		const FeedRec &feed = s.feeds[i];
		if(i != 0 && feed.name[0] != '\0' && !feed.is_group && !people.contains(feed.name))
			drop_person(i, lock, changes);
		lock.breathe();
	};
	for(const std::string &name : usernames)
		look(find_feed(name));
	for(Index i = 1; usernames.empty() && i <= s.feeds.used; ++i)
		look(i);
}

} // namespace

Result<bool> take_people(Pg &pg, const Keys &usernames, FeedChanges &changes)
{
	People people;
	if(auto read = read_people(pg, usernames, people); !read)
		return read;
	drop_people(usernames, people, changes);
	for(const std::string &name : usernames)
		if(people.contains(name))
			if(auto read = take_personal_feed(pg, name, changes); !read)
				return read;
	RegistryWrite lock;
	for(const auto &[name, groups] : people) {
		if(!put_person(name, groups, changes))
			no_room("a feed or a group of person", name);
		lock.breathe();
	}
	return true;
}

Result<bool> take_members(Pg &pg, const Keys &serials, FeedChanges &changes)
{
	Store &s = *store();
	const std::uint32_t mark = new_mark();
	if(auto read = put_members(pg, members_query(pg, serials), mark, changes); !read)
		return read;
	RegistryWrite lock;
	for(const std::string &serial : serials)
		if(const Index device = find_device(serial); device != 0)
			sweep_members(device, mark, changes);
	for(Index i = 1; serials.empty() && i <= s.devices.used; ++i) {
		sweep_members(i, mark, changes);
		lock.breathe();
	}
	return true;
}

namespace {

// Said once, at the start: they would find out when they are needed.
void tell_of_md5_only(std::size_t people)
{
	if(people == 0)
		return;
	bmd_host_log(BMD_LOG_WARNING,
			(std::to_string(people)
					+ " people have a password from before SHA-256 and log on only where MD5 is "
					  "allowed: set it again (bmd_set_password)")
					.c_str());
}

} // namespace

Result<bool> take_credentials(Pg &pg, const Keys &usernames)
{
	const std::uint32_t mark = new_credential_mark();
	std::size_t md5_only = 0;
	auto read = stream_rows(pg, credentials_query(pg, feed_domain(), usernames),
			[mark, &md5_only](std::span<const PgFields> rows) {
				RegistryWrite lock;
				for(const PgFields &row : rows) {
					const Digests digests{row.text(1), row.text(2), row.text(3), row.text(4)};
					if(!put_credential(row.text(0), digests, mark))
						no_room("the password of person", row.text(0));
					md5_only += digests.ha1_sha256.empty() ? 1 : 0;
					lock.breathe();
				}
			});
	if(!read)
		return read;
	if(usernames.empty())
		tell_of_md5_only(md5_only);
	RegistryWrite lock;
	for(const std::string &name : usernames)
		sweep_credentials(name, mark, lock);
	if(usernames.empty())
		sweep_credentials({}, mark, lock);
	return true;
}

} // namespace bmd
