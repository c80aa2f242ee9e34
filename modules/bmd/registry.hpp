/// @file registry.hpp  Devices, types, patients and collectors in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Callers hold the registry lock: shared to look up, exclusive to change.  No database here.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "feeds.hpp"
#include "store.hpp"

namespace bmd {

struct TypeRow
{
	std::string_view name;
	DurationUs stale_after = 0;
};

struct PatientRow
{
	std::int64_t id = 0;
	std::string_view name;
	std::string_view address;
};

struct DeviceRow
{
	std::int32_t database_id = 0;
	std::string_view serial;
	std::string_view type;
	std::string_view location;
	std::string_view collector; ///< the only one that may report it; empty: any
	std::int64_t patient = 0;   ///< 0: none
	bool enabled = true;
	bool seen = false;
};

/// Lookups: 0 when there is none.
[[nodiscard]] Index find_type(std::string_view name) noexcept;
[[nodiscard]] Index find_device(std::string_view serial) noexcept;
[[nodiscard]] Index find_patient(std::int64_t id) noexcept;
/// Adds the collector when it is new; takes its own lock.  0 when there is no room.
[[nodiscard]] Index find_collector(std::string_view name, bool add) noexcept;

/// The rule in force for a metric of a device: prescribed over standard.  False: none.
[[nodiscard]] bool rule_in_force(const DeviceRec &device, MetricId metric, Rule &rule) noexcept;

/// Insert or update: the slot, or 0 when there is no room or what the row refers to is missing.
[[nodiscard]] Index put_type(const TypeRow &row, std::uint32_t generation) noexcept;
[[nodiscard]] Index put_patient(const PatientRow &row, std::uint32_t generation) noexcept;
[[nodiscard]] Index put_device(const DeviceRow &row, std::uint32_t generation) noexcept;

/// Replaces all standard or prescribed values at once.  False when there is no room for all: then
/// the old ones stay.  Of the rules only `rule`, `metric` and `fields` matter.
[[nodiscard]] bool put_type_limits(Index type, std::span<const RuleRec> rules) noexcept;
[[nodiscard]] bool put_device_limits(Index device, std::span<const RuleRec> rules) noexcept;

/// Frees the device's slot; the caller has ended its alerts.  Its feeds are noted in `changes`.
void drop_device(Index device, FeedChanges &changes);
/// Free the slot, or leave it as it is as long as devices refer to it.
void drop_patient(Index patient) noexcept;
void drop_type(Index type) noexcept;

} // namespace bmd
