/// @file metric.hpp  The catalogue of what devices measure and of the alarms they raise themselves.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The entries stand in metrics.inc and alarms.inc; ids are stable for ever, because they are
/// stored.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "bmd/alert.hpp"

namespace bmd {

/// Stable number of a metric: 1 to 999.  Stored in PostgreSQL as bmd_metric.metric_id.
using MetricId = std::uint16_t;

/// One thing that is measured or set.
struct MetricInfo
{
	MetricId id;
	std::string_view name; ///< short name, the Variable of DMP: [A-Za-z][A-Za-z0-9]{0,30}
	std::string_view mdc;  ///< ISO/IEEE 11073-10101 reference id, empty where the standard has none
	std::string_view ucum; ///< unit, UCUM case sensitive; "1" for none
	double min;            ///< values outside [min, max] are absurd and refused
	double max;
	std::string_view text; ///< in plain words
};

/// One alarm a device raises itself.
struct AlarmInfo
{
	std::string_view name;
	std::string_view text;
	MetricId id; ///< 1001 to 1999: alarms share the number space of metrics
	AlertKind kind;
	Priority priority; ///< where the device only says "on"
};

[[nodiscard]] std::span<const MetricInfo> metrics() noexcept;
[[nodiscard]] std::span<const AlarmInfo> alarms() noexcept;

/// Lookup by exact name; nullptr when unknown.
[[nodiscard]] const MetricInfo *find_metric(std::string_view name) noexcept;
[[nodiscard]] const AlarmInfo *find_alarm(std::string_view name) noexcept;

/// Lookup by id; nullptr when unknown.
[[nodiscard]] const MetricInfo *metric_info(MetricId id) noexcept;
[[nodiscard]] const AlarmInfo *alarm_info(MetricId id) noexcept;

/// Name of a metric or of an alarm; "?" when unknown.
[[nodiscard]] std::string_view metric_name(MetricId id) noexcept;

} // namespace bmd
