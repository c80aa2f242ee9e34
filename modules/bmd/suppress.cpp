/// @file suppress.cpp  Which alerts are told but not urgently.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "suppress.hpp"

#include "book.hpp"
#include "escalation_wanted.hpp"
#include "tend.hpp"
#include "windows.hpp"

namespace bmd {

namespace {

constexpr std::string_view link_down = "nothing is heard of the device";
constexpr std::string_view one_of_many = "one of many devices that fell silent of one cause";

const char *why_over(Suppression before) noexcept
{
	switch(before) {
		case Suppression::maintenance:
			return "the maintenance window is over";
		case Suppression::storm:
			return "it is not one of many any more";
		default:
			return "the device is heard again";
	}
}

void match(AlertRec &alert, TimeUs now) noexcept
{
	const Suppressor suppressor = suppressor_of(alert, now);
	const Suppression before = alert.response.suppressed;
	if(suppressor.how == before)
		return;
	alert.response.suppressed = suppressor.how;
	await_answer(alert);
	if(suppressor.how != Suppression::none)
		return record_change(alert, "suppressed",
				{suppressor.who, to_string(suppressor.how), suppressor.why}, now);
	record_change(alert, "resumed", {{}, {}, why_over(before)}, now);
	resume_escalations();
}

} // namespace

Suppressor suppressor_of(const AlertRec &alert, TimeUs now) noexcept
{
	Suppressor suppressor;
	WindowRec window{};
	if(find_window(alert.device, now, window)) {
		suppressor.how = Suppression::maintenance;
		copy_text(suppressor.who, name_size, std::string_view(window.who));
		copy_text(suppressor.why, window_why_size, std::string_view(window.why));
	} else if(alert.kind == AlertKind::physiological
			  && store()->devices[alert.device].stale_alert != 0) {
		suppressor.how = Suppression::inhibition;
		copy_text(suppressor.why, window_why_size, link_down);
	} else if(alert.condition == Condition::stale && alert.device != 0
			  && store()->devices[alert.device].storm.load() != 0) {
		suppressor.how = Suppression::storm;
		copy_text(suppressor.why, window_why_size, one_of_many);
	}
	return suppressor;
}

std::uint32_t physiological_alerts(Index device) noexcept
{
	const Store &s = *store();
	std::uint32_t found = 0;
	for(Index i = s.devices[device].first_alert; i != 0; i = s.alerts[i].next_of_device)
		found += s.alerts[i].kind == AlertKind::physiological ? 1 : 0;
	return found;
}

void match_suppression(Index device, TimeUs now) noexcept
{
	Store &s = *store();
	for(Index i = s.devices[device].first_alert; i != 0; i = s.alerts[i].next_of_device)
		match(s.alerts[i], now);
	const Index stale = s.devices[device].stale_alert;
	if(stale == 0)
		return;
	AlertRec &alert = s.alerts[stale];
	const std::uint32_t mutes = physiological_alerts(device);
	if(alert.mutes == mutes)
		return;
	alert.mutes = mutes;
	record_change(alert, "updated", {{}, {}, "it inhibits another number of alerts"}, now);
}

} // namespace bmd
