/// @file adopt.cpp  Ties restored alerts and waits to what evaluation knows, and unties closed
/// ones. SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>

#include "evaluate.hpp"
#include "registry.hpp"

namespace bmd {

void adopt_alert(Index index) noexcept
{
	Store &s = *store();
	AlertRec &alert = s.alerts[index];
	if(alert.condition == Condition::stale) {
		s.devices[alert.device].stale_alert = index;
		s.heard[alert.device].flags.fetch_or(device_stale | device_seen);
		return;
	}
	MetricRec *rec = metric_of(alert.device, alert.metric);
	if(rec == nullptr)
		return;
	rec->last_onset = std::max(rec->last_onset, alert.onset_at);
	const bool active = alert.state == AlertState::active;
	if(alert.condition == Condition::invalid) {
		rec->valid_alert = index;
		rec->validity = active ? Watch{alert.onset_at, Breach::invalid, Breach::invalid} : Watch{};
		return;
	}
	if(rec->limit_alert != 0 && !active)
		return; // the active one keeps the place; this one waits for its acknowledgement
	rec->limit_alert = index;
	Rule rule;
	alert.past_second = rule_in_force(s.devices[alert.device], alert.metric, rule)
						&& alert.priority > risen(rule.priority, alert.risen);
	const Breach breach = alert.condition == Condition::low    ? Breach::low
						  : alert.condition == Condition::high ? Breach::high
															   : Breach::none;
	rec->limits = active ? Watch{alert.onset_at, breach, breach} : Watch{};
}

void adopt_wait(Index device, MetricId metric, Breach breach, TimeUs since) noexcept
{
	Store &s = *store();
	Rule rule;
	if(!(s.heard[device].flags.load() & device_enabled)
			|| !rule_in_force(s.devices[device], metric, rule) || rule.delay == 0)
		return;
	MetricRec *rec = metric_of(device, metric);
	if(rec == nullptr)
		return;
	Watch &watch = breach == Breach::invalid ? rec->validity : rec->limits;
	if(watch.raised == Breach::none)
		watch = Watch{since, breach, Breach::none};
}

void forget_slot(Index device, Index alert) noexcept
{
	Store &s = *store();
	for(Index i = s.devices[device].first_metric; i != 0; i = s.metrics[i].next) {
		if(s.metrics[i].limit_alert == alert)
			s.metrics[i].limit_alert = 0;
		if(s.metrics[i].valid_alert == alert)
			s.metrics[i].valid_alert = 0;
	}
}

} // namespace bmd
