/// @file store_limits.hpp  Sizes of the store, and settings that a running server follows.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Parts of the store (store.hpp).

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "bmd/time.hpp"

namespace bmd {

/// Rows of bmd_setting that a running server follows.
struct Settings
{
	std::atomic<DurationUs> reopen;       ///< a condition that comes back sooner: the same alert
	std::atomic<DurationUs> silence;      ///< longest
	std::atomic<DurationUs> silence_high; ///< longest at priority high
	std::atomic<std::int64_t> messages;   ///< to a person a minute, of less than priority high
	std::atomic<DurationUs> storm_window; ///< see bmd/storm.hpp, as the following
	std::atomic<DurationUs> storm_rest;
	std::atomic<std::uint32_t> storm_devices;
	std::atomic<std::uint32_t> storm_site_devices;
};

/// Sizes, from the module's parameters.
struct Limits
{
	std::size_t devices = 10'000;
	std::size_t metrics = 0; ///< 0: 4 a device
	std::size_t rules = 0;   ///< 0: devices + 10,000
	std::size_t texts = 0;   ///< pieces of 28 bytes; 0: 6 a device
	std::size_t feeds = 20'000;
	std::size_t groups = 0;  ///< a person is assigned to a group; 0: 4 a feed
	std::size_t members = 0; ///< 0: 3 a device + 16 a feed
	std::size_t alerts = 0;  ///< 0: a tenth of the devices, at least 1,024
	std::size_t journal_bytes = 32U << 20;
	std::size_t alert_events = 0; ///< 0: as alerts, 16,384 to 65,536
	std::size_t changes = 8'192;  ///< slots of each notifier's rings
	std::size_t notifiers = 1;
	std::size_t subscriptions = 20'000;
	std::size_t person_subscriptions = 0;  ///< of one person; 0: as many as there are
	std::size_t memory_reserve = 8U << 20; ///< bytes that no new subscription takes
	std::size_t deliveries = 32'768;       ///< that wait for the database
	std::size_t recipients = 0;  ///< alerts escalated to feeds; 0: 2 an alert, at least 16,384
	std::size_t reached = 0;     ///< whom alerts reached; 0: alerts / 4, at least 32,768
	std::size_t escalations = 0; ///< steps that wait for the database; 0: half of alert_events
	std::size_t tasks = 4'096;   ///< messages and calls that wait to be sent
	std::size_t duty_bytes =
			1U << 20; ///< of rosters; as much for watchers' rules, and for policies
	std::size_t filter_bytes = 4U << 20; ///< of filters of subscriptions; beside the store
	std::size_t held = 0; ///< alerts held back from a subscription; 0: 1 each, 64 to 4,096
};

} // namespace bmd
