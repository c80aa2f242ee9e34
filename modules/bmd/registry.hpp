/// @file registry.hpp  Devices, types, patients, feeds and collectors in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Callers hold the registry lock: shared to look up, exclusive to change.  No database here.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store.hpp"

namespace bmd {

struct TypeRow
{
	std::string name;
	DurationUs stale_after = 0;
};

struct LimitRow
{
	std::string owner; ///< type name or serial
	MetricId metric = 0;
	Rule rule;
	std::uint8_t fields = 0; ///< RuleField bits that are set
};

struct PatientRow
{
	std::int64_t id = 0;
	std::string name;
	std::string address;
};

struct DeviceRow
{
	std::int32_t database_id = 0;
	std::string serial;
	std::string type;
	std::string location;
	std::string collector;    ///< the only one that may report it; empty: any
	std::int64_t patient = 0; ///< 0: none
	bool enabled = true;
	bool seen = false;
};

struct MemberRow
{
	std::string feed; ///< user name or grp.NAME
	std::string serial;
};

struct WatcherRow
{
	std::string username;
	std::string feed; ///< own name, or grp.NAME the person is assigned to
};

/// Lookups: 0 when there is none.
[[nodiscard]] Index find_type(std::string_view name) noexcept;
[[nodiscard]] Index find_device(std::string_view serial) noexcept;
[[nodiscard]] Index find_patient(std::int64_t id) noexcept;
[[nodiscard]] Index find_feed(std::string_view name) noexcept;
/// Adds the collector when it is new; takes its own lock.  0 when there is no room.
[[nodiscard]] Index find_collector(std::string_view name, bool add) noexcept;

/// The rule in force for a metric of a device: prescribed over standard.  False: none.
[[nodiscard]] bool rule_in_force(const DeviceRec &device, MetricId metric, Rule &rule) noexcept;

/// Insert or update.  False when there is no room, or what the row refers to is missing.
[[nodiscard]] bool put_type(const TypeRow &row) noexcept;
[[nodiscard]] bool put_patient(const PatientRow &row, std::uint32_t generation) noexcept;
[[nodiscard]] bool put_device(const DeviceRow &row, std::uint32_t generation) noexcept;
[[nodiscard]] bool put_type_limit(const LimitRow &row) noexcept;
[[nodiscard]] bool put_device_limit(const LimitRow &row) noexcept;

void drop_type_limits(Index type) noexcept;
void drop_device_limits(Index device) noexcept;
/// Frees the device's slot; the caller has ended its alerts.
void drop_device(Index device) noexcept;
void drop_patient(Index patient) noexcept;

/// Replaces all feeds, memberships and group assignments.  Returns the names of the feeds whose
/// devices or permitted watchers changed.  False in `complete` when there was no room for all.
[[nodiscard]] std::vector<std::string> replace_feeds(const std::vector<MemberRow> &members,
		const std::vector<WatcherRow> &watchers, bool &complete);

/// May this person subscribe to this feed (user part of its URI)?
[[nodiscard]] bool may_watch(std::string_view username, std::string_view feed) noexcept;

} // namespace bmd
