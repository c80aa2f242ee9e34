/// @file storm.cpp  Storms: their devices, and what a feed is told of them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "storm.hpp"

#include <algorithm>
#include <mutex>

#include "evaluate.hpp"
#include "feeds.hpp"
#include "recipients.hpp"
#include "suppress.hpp"
#include "table.hpp"

namespace bmd {

namespace {

// Devices of a storm that a feed carries, or all.
struct Share
{
	std::uint32_t count = 0;
	std::vector<Index> shown;
};

Share whole(const Uuid &alert)
{
	const std::lock_guard<Mutex> guard(storm_mutex());
	const std::uint8_t number = find_storm(alert);
	if(number == 0)
		return {};
	const StormRec &rec = store()->storms[number];
	return {rec.devices, {rec.shown, rec.shown + rec.shown_count}};
}

Share share_of(const Uuid &alert, Index feed)
{
	const Store &s = *store();
	std::uint8_t number = 0;
	{
		const std::lock_guard<Mutex> guard(storm_mutex());
		number = find_storm(alert);
	}
	Share share;
	if(number == 0)
		return share;
	for(Index e = s.feeds[feed].first_device; e != 0; e = s.members[e].next_of_feed)
		if(in_storm(s.members[e].device, number))
			share.shown.push_back(s.members[e].device);
	share.count = static_cast<std::uint32_t>(share.shown.size());
	most_urgent(share.shown);
	return share;
}

StormDevice named(Index index, const Shown &shown)
{
	const Store &s = *store();
	const DeviceRec &device = s.devices[index];
	StormDevice named;
	named.serial = device.serial;
	if(shown.location)
		named.location = text_of(device.location);
	if(shown.identity && device.patient != 0)
		named.patient_name = text_of(s.patients[device.patient].name);
	return named;
}

} // namespace

std::string_view collector_name(std::uint64_t hash) noexcept
{
	Store &s = *store();
	for(Index i = bucket(s.collector_hash, hash); i != 0; i = s.collectors[i].next_hash)
		if(hash_name(s.collectors[i].name) == hash)
			return s.collectors[i].name;
	return {};
}

StormRules storm_rules() noexcept
{
	const Store &s = *store();
	StormRules rules;
	rules.devices = s.settings.storm_devices.load();
	rules.site_devices = s.settings.storm_site_devices.load();
	rules.window = s.settings.storm_window.load();
	rules.rest = s.settings.storm_rest.load();
	rules.devices_in_use = s.devices.used;
	return rules;
}

std::uint8_t find_storm(const Uuid &alert) noexcept
{
	const Store &s = *store();
	for(std::uint8_t i = 1; i <= max_storms; ++i)
		if(s.storms[i].slot != 0 && s.storms[i].alert == alert)
			return i;
	return 0;
}

std::uint8_t take_storm(std::uint64_t cause) noexcept
{
	Store &s = *store();
	for(std::uint8_t i = 1; i <= max_storms; ++i)
		if(s.storms[i].slot == 0) {
			s.storms[i] = StormRec{};
			s.storms[i].cause = cause;
			return i;
		}
	return 0;
}

bool is_ready(const AlertRec &alert) noexcept
{
	const std::lock_guard<Mutex> guard(storm_mutex());
	const std::uint8_t storm = find_storm(alert.id);
	return storm == 0 || store()->storms[storm].ready;
}

bool has_orphans(const AlertRec &alert) noexcept
{
	const std::lock_guard<Mutex> guard(storm_mutex());
	const std::uint8_t storm = find_storm(alert.id);
	return storm != 0 && store()->storms[storm].orphans;
}

std::uint32_t storms_open() noexcept
{
	std::uint32_t open = 0;
	for(const StormRec &storm : store()->storms)
		open += storm.slot != 0 ? 1 : 0;
	return open;
}

std::uint32_t storm_devices() noexcept
{
	std::uint32_t devices = 0;
	for(const StormRec &storm : store()->storms)
		devices += storm.slot != 0 ? storm.devices : 0;
	return devices;
}

StormList list_storm(const AlertRec &alert)
{
	const Share share = whole(alert.id);
	StormList list;
	for(const Index device : share.shown)
		list.serials.emplace_back(store()->devices[device].serial);
	list.more = share.count - static_cast<std::uint32_t>(list.serials.size());
	return list;
}

Uuid storm_of(const AlertRec &alert) noexcept
{
	const Store &s = *store();
	const bool member = alert.condition == Condition::stale && alert.device != 0
						&& alert.response.suppressed == Suppression::storm;
	const std::uint8_t number = member ? s.devices[alert.device].storm.load() : 0;
	return number == 0 ? Uuid{} : s.storms[number].alert;
}

bool told_by_storm(const AlertRec &alert) noexcept
{
	return alert.response.suppressed == Suppression::storm && !alert.told;
}

bool join_storm(Index index, std::uint8_t storm) noexcept
{
	Store &s = *store();
	DeviceRec &device = s.devices[index];
	const std::lock_guard<Mutex> guard(s.stripe[index % stripes]);
	if(device.serial[0] == '\0' || !silent(index, mono_now()))
		return false;
	if(device.stale_alert != 0 && taken(s.alerts[device.stale_alert].response))
		return false;
	device.storm.store(storm);
	match_suppression(index, wall_now());
	return true;
}

void leave_storm(Index index, std::uint8_t storm) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.stripe[index % stripes]);
	if(s.devices[index].storm.load() != storm)
		return;
	s.devices[index].storm.store(0);
	match_suppression(index, wall_now());
}

// After a start a device with a stale alert has not been silent for long, as far as is known.
bool in_storm(Index index, std::uint8_t storm) noexcept
{
	const Store &s = *store();
	if(s.devices[index].storm.load(std::memory_order_relaxed) != storm)
		return false;
	return (s.heard[index].flags.load(std::memory_order_relaxed) & device_stale) != 0
		   || silent(index, mono_now());
}

void most_urgent(std::vector<Index> &devices)
{
	const Store &s = *store();
	const auto before = [&s](Index a, Index b) {
		const std::uint32_t at_a = s.heard[a].stale_after_ms.load(std::memory_order_relaxed);
		const std::uint32_t at_b = s.heard[b].stale_after_ms.load(std::memory_order_relaxed);
		return at_a != at_b ? at_a < at_b
							: std::string_view(s.devices[a].serial) < s.devices[b].serial;
	};
	const std::size_t shown = std::min(devices.size(), storm_shown);
	std::partial_sort(devices.begin(), devices.begin() + static_cast<std::ptrdiff_t>(shown),
			devices.end(), before);
	devices.resize(shown);
}

void describe_storm(
		const AlertRec &alert, std::string_view name, AlertView &view, const ShownDevice &shown)
{
	view.cause = storm_cause(alert.serial);
	if(alert.state == AlertState::cleared)
		return;
	const Index feed = name.empty() ? 0 : find_feed(name);
	bool all = name.empty() || is_recipient(alert.id, feed, recipient_called);
	Share share = all || feed == 0 ? Share() : share_of(alert.id, feed);
	if(share.count == 0 && !all) // who sees to it goes on seeing it
		all = is_recipient(alert.id, feed, recipient_holds);
	if(all)
		share = whole(alert.id);
	view.devices = share.count;
	view.value = share.count;
	view.mutes = 0;
	for(const Index device : share.shown)
		if(const auto seen = shown ? shown(device) : Shown(); seen)
			view.some.push_back(named(device, *seen));
	if(share.count != 0 || all)
		return;
	view.state = AlertState::cleared; // for this feed; the storm goes on elsewhere
	view.cleared_at = view.changed_at;
}

} // namespace bmd
