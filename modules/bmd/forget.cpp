/// @file forget.cpp  Ends what was known of a device when it changes hands.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "forget.hpp"

#include <mutex>

#include "book.hpp"
#include "evaluate.hpp"
#include "registry.hpp"
#include "slots.hpp"

namespace bmd {

namespace {

void forget_metrics(DeviceRec &device) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.pool_lock);
	while(device.first_metric != 0) {
		const Index gone = device.first_metric;
		if(waits(s.metrics[gone]))
			journal_waits_over(device.database_id, s.metrics[gone].metric);
		device.first_metric = s.metrics[gone].next;
		s.metrics[gone].next = s.metrics.free;
		s.metrics.free = gone;
	}
}

} // namespace

Belonging belonging_of(Index index) noexcept
{
	const DeviceRec &device = store()->devices[index];
	return {device.database_id, device.patient == 0 ? 0 : store()->patients[device.patient].id};
}

std::string_view why_other(const Belonging &before, const Belonging &now, bool enabled) noexcept
{
	if(!enabled)
		return "disabled";
	if(before.database_id != now.database_id)
		return "removed";
	return before.patient != now.patient ? "reassigned" : "";
}

void forget_device(Index index, std::string_view event) noexcept
{
	Store &s = *store();
	DeviceRec &device = s.devices[index];
	const TimeUs now = wall_now();
	while(device.first_alert != 0)
		end_alert(device.first_alert, event, Actor{}, now, Ending::closed);
	// what has cleared belongs to whom the device served then: it does not come back
	close_kept(device.serial, event);
	device.stale_alert = 0;
	device.storm.store(0);
	s.heard[index].flags.fetch_and(static_cast<std::uint8_t>(~device_stale));
	s.heard[index].mono.store(mono_now());
	forget_metrics(device);
}

} // namespace bmd
