/// @file provision_take.hpp  Takes what the database provisions into the store, by key or whole.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Takes the registry lock itself, for moments; only one process at a time may do this.

#pragma once

#include "provision_read.hpp"

namespace bmd {

/// All of these with an empty `keys` take everything.  They insert and update; what is no longer
/// in the database stays until it is swept.  Errors: as of Pg; part may have been taken.
[[nodiscard]] Result<bool> take_types(Pg &pg, const Keys &names);
[[nodiscard]] Result<bool> take_patients(Pg &pg, const Keys &ids);
/// Devices with their prescribed values.
[[nodiscard]] Result<bool> take_devices(Pg &pg, const Keys &serials, FeedChanges &changes);

/// Removes what the last take_*() with the same keys has not found.  Devices first: they refer to
/// the others.
void sweep_devices(const Keys &serials, FeedChanges &changes);
void sweep_patients(const Keys &ids);
void sweep_types(const Keys &names);

/// Limits of these types changed: judges the last readings of their devices again.
void judge_types(const Keys &names);

/// People: what they may watch, and, when `keys` names some, the devices of their personal feeds.
[[nodiscard]] Result<bool> take_people(Pg &pg, const Keys &usernames, FeedChanges &changes);
/// Feeds of devices; removes the memberships that are gone.
[[nodiscard]] Result<bool> take_members(Pg &pg, const Keys &serials, FeedChanges &changes);

/// The rows of bmd_setting that a running server follows, and the maintenance windows: always
/// whole.
[[nodiscard]] Result<bool> take_settings(Pg &pg);
[[nodiscard]] Result<bool> take_windows(Pg &pg);
/// What people's digests are checked with; removes those that are gone.
[[nodiscard]] Result<bool> take_credentials(Pg &pg, const Keys &usernames);
/// Certificates of people; tells who is watching what changed for them.
[[nodiscard]] Result<bool> take_encryption(Pg &pg, const Keys &usernames);
/// Teams, rosters and policies, all of them.  Errors: as of Pg; then the old ones are in force.
[[nodiscard]] Result<bool> take_duty(Pg &pg);

/// Rules of watchers, all of them, those of teams once for each member.  Errors: as of Pg; then the
/// old ones are in force.
[[nodiscard]] Result<bool> take_watcher_rules(Pg &pg);

/// Policies: all rules, the members of the roles and teams they name, and what those who wait were
/// answered.  Errors: as of Pg; then the old ones are in force.
[[nodiscard]] Result<bool> take_policy(Pg &pg);

/// The rules that filters of subscriptions name, all of them.  Errors: as of Pg; then the old ones
/// are in force.
[[nodiscard]] Result<bool> take_filter_rules(Pg &pg);

/// Asks the processor for what looking up the devices of these rows will read, so that it does not
/// wait for the memory of each.  `field` is their serial.  Caller holds the registry lock.
void expect_devices(std::span<const PgFields> rows, std::size_t field) noexcept;

/// Something of this name found no room: counted, and logged once in a while.
void no_room(std::string_view what, std::string_view name);

} // namespace bmd
