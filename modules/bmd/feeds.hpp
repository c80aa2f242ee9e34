/// @file feeds.hpp  Who sees which device: feeds, memberships, and who may watch them.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Callers hold the registry lock: shared to look up, exclusive to change.  A membership is found
/// and taken away in a time that does not depend on the size of its feed.

#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "changes.hpp"
#include "exclusive.hpp"

namespace bmd {

/// Watched feeds whose devices, or permitted watchers, changed: they get their full state.
class FeedChanges
{
public:
	void feed(Index feed);
	void device(Index device);
	/// The device's own feed and all that show it: what policies and filters go by has changed.
	void all_of(Index device);
	/// Somebody has come or goes, who may watch by a rule what no assignment says.
	void person(Index person);
	/// Only what the person answers for changed: whose watchers the person is told of.
	void answers_for(Index person);
	/// Queues the refreshes and forgets them.  Not under the registry lock.
	void tell() noexcept;
	[[nodiscard]] const std::set<std::string> &names() const noexcept { return names_; }

private:
	void add(std::string name);
	std::set<std::string> names_;
	std::set<std::string> people_;
	Names comers_;
	bool all_ = false;
};

/// 0 when there is none.  User name, or grp.NAME; what nobody watches: @NUMBER of a team, #NAME of
/// an area.
[[nodiscard]] Index find_feed(std::string_view name) noexcept;

/// The group whose feed this is; empty: it is none.
[[nodiscard]] std::string_view group_of(const FeedRec &feed) noexcept;
/// The number of the team that is kept like a feed; 0: it is none.
[[nodiscard]] std::int32_t team_of(const FeedRec &feed) noexcept;

/// Does the feed show the device's alerts?
[[nodiscard]] bool carries(Index feed, Index device) noexcept;

/// A number for one reading of memberships: those found get it, the others are swept.
[[nodiscard]] std::uint32_t new_mark() noexcept;

/// The feed carries the device.  An unknown device is passed over: its own change is on the way and
/// comes with its memberships.  False when there is no room.
[[nodiscard]] bool put_member(
		std::string_view feed, std::string_view serial, std::uint32_t mark, FeedChanges &changes);

/// Takes away the memberships of a device, or of a feed, that have another mark.
void sweep_members(Index device, std::uint32_t mark, FeedChanges &changes);
void sweep_feed(Index feed, std::uint32_t mark, RegistryWrite &lock, FeedChanges &changes);

/// The person may watch the personal feed and these groups (grp.NAME), no other.  False when there
/// is no room for all.
[[nodiscard]] bool put_person(
		std::string_view name, std::span<const std::string> groups, FeedChanges &changes);
/// The person may watch nothing any more; the feed goes.
void drop_person(Index person, RegistryWrite &lock, FeedChanges &changes);

/// May this person subscribe to this feed (user part of its URI)?
[[nodiscard]] bool may_watch(std::string_view username, std::string_view feed) noexcept;

} // namespace bmd
