/// @file storm.hpp  Storms: many devices that fell silent of one cause, told as one alert.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// The alert of a storm is one of no device: it is of device 0, and in the list of that slot.  The
/// stale alerts of its devices stay in the book, suppressed by the storm, and are told by it.
/// DeviceRec::storm names the storm of a device; it changes under the device's stripe.  What
/// begins and ends storms is storm_keeper.hpp.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bmd/storm.hpp"
#include "shown.hpp"
#include "store.hpp"

namespace bmd {

/// The stripe of storms; nobody takes that of a device within it.
[[nodiscard]] inline Mutex &storm_mutex() noexcept
{
	return store()->stripe[0];
}

/// Name of the collector with this hash; empty: none has it.
[[nodiscard]] std::string_view collector_name(std::uint64_t hash) noexcept;

/// The settings, and the devices there are.
[[nodiscard]] StormRules storm_rules() noexcept;

/// Caller holds storm_mutex().  0: no storm has this alert.
[[nodiscard]] std::uint8_t find_storm(const Uuid &alert) noexcept;

/// A free record; 0: there is none.  Caller holds storm_mutex().
[[nodiscard]] std::uint8_t take_storm(std::uint64_t cause) noexcept;

/// The alert of the storm that tells of the device of this stale alert; all zero: none does.
/// Caller holds the device's stripe.
[[nodiscard]] Uuid storm_of(const AlertRec &alert) noexcept;

/// Does a storm tell of this alert, so that feeds of people and groups do not?  An alert that was
/// told before its storm began is told on, so that terminals see what becomes of it.
[[nodiscard]] bool told_by_storm(const AlertRec &alert) noexcept;

/// Are its devices marked, so that it can be told?  Takes storm_mutex(), as the following.
[[nodiscard]] bool is_ready(const AlertRec &storm) noexcept;

/// Has one of its devices no team?
[[nodiscard]] bool has_orphans(const AlertRec &storm) noexcept;

/// How many storms are open, and how many devices they tell of.
[[nodiscard]] std::uint32_t storms_open() noexcept;
[[nodiscard]] std::uint32_t storm_devices() noexcept;

/// Caller holds the registry lock, no stripe, in the following.

/// The device belongs to the storm from now on, unless it is heard again, or somebody sees to its
/// own alert.
[[nodiscard]] bool join_storm(Index device, std::uint8_t storm) noexcept;

/// It does not any more, and its alert, if it has one, is told by itself.
void leave_storm(Index device, std::uint8_t storm) noexcept;

/// Is the device silent still, and told by this storm?
[[nodiscard]] bool in_storm(Index device, std::uint8_t storm) noexcept;

/// Puts the most urgent first, at most `storm_shown`: those that may be silent the shortest.
void most_urgent(std::vector<Index> &devices);

/// The devices of a storm that commands name, and how many others there are.
struct StormList
{
	std::vector<std::string> serials;
	std::uint32_t more = 0;
};
[[nodiscard]] StormList list_storm(const AlertRec &alert);

/// What the alert says to a feed: its cause, how many devices of the feed are silent, and which.
/// To feeds it was escalated to, or of who sees to it and has none of the devices (any more), and
/// to an empty one: of all.  Without any it is cleared.  `shown`: what is named of a device; empty:
/// everything.
void describe_storm(const AlertRec &alert, std::string_view feed, AlertView &view,
		const ShownDevice &shown = {});

} // namespace bmd
