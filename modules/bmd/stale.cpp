/// @file stale.cpp  Devices that fall silent, and speak again.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <limits>
#include <mutex>
#include <shared_mutex>

#include "evaluate.hpp"
#include "registry.hpp"
#include "suppress.hpp"

namespace bmd {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view no_data = "NoData";

} // namespace

bool device_heard(Index index, TimeUs arrived) noexcept
{
	Store &s = *store();
	HeardRec &heard = s.heard[index];
	heard.mono.store(mono_now(), std::memory_order_relaxed);
	s.devices[index].last_arrived = arrived;
	const std::uint8_t flags = heard.flags.load(std::memory_order_relaxed);
	if(!(flags & device_seen))
		heard.flags.fetch_or(device_seen);
	if(!(flags & device_stale))
		return false;
	heard.flags.fetch_and(static_cast<std::uint8_t>(~device_stale));
	const Index alert = s.devices[index].stale_alert;
	s.devices[index].stale_alert = 0;
	if(alert != 0)
		end_alert(alert, "cleared", Actor{}, wall_now(), Ending::may_come_back);
	s.devices[index].storm.store(0);
	return true;
}

bool silent(Index index, TimeUs now) noexcept
{
	const HeardRec &heard = store()->heard[index];
	constexpr std::uint8_t wanted = device_enabled | device_seen;
	if((heard.flags.load(std::memory_order_relaxed) & wanted) != wanted)
		return false;
	const TimeUs limit = static_cast<TimeUs>(heard.stale_after_ms) * 1000;
	return now - heard.mono.load(std::memory_order_relaxed) > limit;
}

namespace {

bool silent_without_alert(Index index, TimeUs now) noexcept
{
	return silent(index, now)
		   && !(store()->heard[index].flags.load(std::memory_order_relaxed) & device_stale);
}

// When the silence began: with the last arrival, with the moment the device was enabled, or with
// the start of the server, whichever is the latest.  A stale alert that ended must not come back
// under its old id.
TimeUs silent_since(Index index, TimeUs now) noexcept
{
	Store &s = *store();
	const TimeUs began = wall_now() - (now - s.heard[index].mono.load());
	return began > s.devices[index].last_arrived ? began : s.devices[index].last_arrived;
}

} // namespace

void raise_stale(Index index) noexcept
{
	Store &s = *store();
	DeviceRec &device = s.devices[index];
	const std::lock_guard<Mutex> guard(s.stripe[index % stripes]);
	const TimeUs now = mono_now();
	if(device.serial[0] == '\0' || !silent_without_alert(index, now))
		return;
	const AlarmInfo *info = find_alarm(no_data);
	const Index alert = raise_alert(NewAlert{index, info->id, Condition::stale, info->kind,
			info->priority, none, none, device.last_measured, device.last_arrived,
			silent_since(index, now), physiological_alerts(index)});
	if(alert == 0)
		return; // the book is full: the next round tries again
	device.stale_alert = alert;
	s.heard[index].flags.fetch_or(device_stale);
	match_suppression(index, wall_now());
}

void find_silent(Index from, Index to, std::vector<Index> &found)
{
	const Store &s = *store();
	const TimeUs now = mono_now();
	for(Index i = from; i <= to && i <= s.devices.used; ++i)
		if(silent_without_alert(i, now))
			found.push_back(i);
}

} // namespace bmd
