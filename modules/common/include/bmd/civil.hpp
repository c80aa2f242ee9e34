/// @file civil.hpp  Wall clocks of places: time zones, days of the week and hours.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Time zones come from the system's tzdata, which Debian compiles up to 2037.  No clock here.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace date {
class time_zone;
}

namespace bmd {

/// What the wall clock of a place shows, in seconds since it showed 1970-01-01 00:00:00.
using CivilTime = std::int64_t;

inline constexpr CivilTime civil_hour = 3600;
inline constexpr CivilTime civil_day = 24 * civil_hour;

/// A time zone of the IANA database.
class Zone
{
public:
	/// Errors: malformed, when there is no such zone on this system.
	[[nodiscard]] static Result<Zone> find(std::string_view name);
	[[nodiscard]] static Zone utc();

	[[nodiscard]] CivilTime civil(TimeUs instant) const;

	/// When the clock shows it.  Of a time shown twice the first; of one that is skipped the moment
	/// of the skip.  So it never decreases when `time` grows.
	[[nodiscard]] TimeUs instant(CivilTime time) const;

	[[nodiscard]] std::string name() const;
	/// "2026-03-29T03:00:00+02:00".
	[[nodiscard]] std::string format(TimeUs instant) const;

private:
	explicit Zone(const date::time_zone *zone) : zone_(zone) {}
	const date::time_zone *zone_; ///< of the time zone database, which lives as long as the process
};

/// Hours on days of the week, by the wall clock: each begins on one of `days`, at `from` seconds
/// of the day, and ends at the next `until`; equal ones are 24 hours.
struct Hours
{
	static constexpr std::uint8_t every_day = 0x7f;
	std::uint8_t days = every_day; ///< bit 0: Monday
	std::int32_t from = 0;
	std::int32_t until = civil_day;

	[[nodiscard]] bool always() const noexcept;
	[[nodiscard]] bool operator==(const Hours &) const = default;
};

[[nodiscard]] bool within(const Hours &hours, const Zone &zone, TimeUs at);

/// The next moment after `at` when within() may change; 0: never.
[[nodiscard]] TimeUs next_edge(const Hours &hours, const Zone &zone, TimeUs at);

} // namespace bmd
