/// @file provision_read.hpp  Reads provisioning out of the database into rows.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Touches nothing shared.  An empty key reads everything.

#pragma once

#include <string>
#include <vector>

#include "pg.hpp"
#include "registry.hpp"

namespace bmd {

[[nodiscard]] Result<std::vector<TypeRow>> read_types(Pg &pg, const std::string &name);
[[nodiscard]] Result<std::vector<LimitRow>> read_type_limits(Pg &pg, const std::string &type);
[[nodiscard]] Result<std::vector<PatientRow>> read_patients(Pg &pg, const std::string &id);
[[nodiscard]] Result<std::vector<DeviceRow>> read_devices(Pg &pg, const std::string &serial);
[[nodiscard]] Result<std::vector<LimitRow>> read_device_limits(Pg &pg, const std::string &serial);
[[nodiscard]] Result<std::vector<MemberRow>> read_members(Pg &pg);
[[nodiscard]] Result<std::vector<WatcherRow>> read_watchers(Pg &pg);
[[nodiscard]] Result<std::vector<AlertRec>> read_open_alerts(Pg &pg);

/// A watermark of a collector.
struct CollectorRow
{
	std::int32_t database_id = 0;
	std::string name;
	std::int64_t epoch = 0;
	std::int64_t seq = 0;
};
[[nodiscard]] Result<std::vector<CollectorRow>> read_collectors(Pg &pg);

/// A stored subscription.
struct SubscriptionRow
{
	std::string resource; ///< user part: resource_of() of subs.hpp
	std::string user;
	std::int64_t seconds; ///< left
};
/// None when presence's table does not exist.
[[nodiscard]] Result<std::vector<SubscriptionRow>> read_subscriptions(Pg &pg);

} // namespace bmd
