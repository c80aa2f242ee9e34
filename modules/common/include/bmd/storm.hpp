/// @file storm.hpp  Which silent devices have one cause, so that one alert tells of them all.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no clock, no store.  A cause is the collector that a device was last heard from, or the
/// whole site.  Times are monotonic.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/time.hpp"

namespace bmd {

/// By the settings storm_devices, storm_site_devices, storm_window_seconds, storm_rest_seconds.
struct StormRules
{
	std::uint32_t devices = 10;         ///< of one collector; 0: no storm of a collector
	std::uint32_t site_devices = 20;    ///< of all together; 0: no storm of the site
	DurationUs window = 30 * second_us; ///< in which they fall silent
	DurationUs rest = 120 * second_us;  ///< fewer than that may be told as a storm so long
	std::uint32_t devices_in_use = 0;   ///< of the site: many of them fall silent by chance
};

inline constexpr std::uint64_t site_cause = 0;

/// Fewer devices than these are told one by one.
inline constexpr std::uint32_t least_of_storm = 3;
/// More collectors that are cut off at once are an affair of the site.
inline constexpr std::size_t most_collector_storms = 4;
/// One device in so many falls silent within a window without any common cause, and by far not so
/// many more: the least number of a storm of the site.
inline constexpr std::uint32_t devices_a_chance = 5'000;

/// How many devices make a storm of this cause; 0: none do.
[[nodiscard]] std::uint32_t threshold_of(const StormRules &rules, std::uint64_t cause) noexcept;

/// A device that is silent and belongs to no storm: noticed now, or within the last window.
struct SilentDevice
{
	std::uint64_t cause = site_cause; ///< its collector; site_cause: not known
	TimeUs heard = 0;                 ///< for the last time
};

/// Up to when devices were heard that belong to a storm.  Grows as long as a storm's worth of
/// them comes within each window; one that was heard later is silent for a reason of its own.
class StormSpan
{
public:
	StormSpan() = default;
	explicit StormSpan(TimeUs until) : until_(until), latest_(until) {}
	[[nodiscard]] bool takes(TimeUs heard) const noexcept { return heard <= until_; }
	void took(TimeUs heard, const StormRules &rules, std::uint64_t cause) noexcept;

private:
	TimeUs until_ = 0;
	TimeUs latest_ = 0;
	std::uint32_t since_ = 0; ///< devices taken since it last grew
};

struct OpenStorm
{
	std::uint64_t cause = site_cause;
	StormSpan span;
};

inline constexpr std::size_t alone = static_cast<std::size_t>(-1);

/// What becomes of silent devices.
struct Grouping
{
	std::vector<std::size_t> storm;    ///< of each device: `alone`, or the number of its storm
	std::vector<std::uint64_t> opened; ///< causes of storms that begin; numbered after those open
};

/// An open storm takes the devices of its cause within its span, the site's those of any.  Others
/// of one collector, or else of all, begin a storm when they are enough, or go to the one that is
/// open.
[[nodiscard]] Grouping group_silent(const StormRules &rules, std::span<const OpenStorm> open,
		std::span<const SilentDevice> devices);

/// Is a storm over of which so many devices are left?  `few_since`: since when they are fewer
/// than it takes to begin one; 0: they are not.
[[nodiscard]] bool storm_over(
		const StormRules &rules, std::uint32_t left, TimeUs few_since, TimeUs now) noexcept;
[[nodiscard]] bool few_of_storm(const StormRules &rules, std::uint32_t left) noexcept;

/// What stands for the serial number in the alert of a storm: no device is called so.  At most 31
/// bytes.  An empty collector: the site's.
[[nodiscard]] std::string storm_name(std::string_view collector);
/// The name in words: "collector home-3", "site"; empty when it is none.
[[nodiscard]] std::string storm_cause(std::string_view name);

} // namespace bmd
