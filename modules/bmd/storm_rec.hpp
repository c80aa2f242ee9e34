/// @file storm_rec.hpp  A storm: many devices that fell silent of one cause, told as one alert.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Plain record of shared memory; storm.hpp says how it is used.

#pragma once

#include <cstddef>
#include <cstdint>

#include "alert_rec.hpp"

namespace bmd {

inline constexpr std::size_t max_storms = 16;
inline constexpr std::size_t storm_shown = 20; ///< most devices named in an alert

/// Guarded by the stripe of device 0, as its alert is.
struct StormRec
{
	Uuid alert;                ///< its id; all zero: free
	std::uint64_t cause;       ///< as in bmd/storm.hpp
	Index slot;                ///< of the alert in the book
	bool ready;                ///< its devices are marked, so that it can be told
	bool orphans;              ///< one of its devices has no team
	std::uint32_t devices;     ///< silent now
	Index shown[storm_shown];  ///< of these the most urgent
	std::uint32_t shown_count; ///< entries of `shown` in use
};

} // namespace bmd
