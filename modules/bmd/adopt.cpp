/// @file adopt.cpp  Ties restored alerts and waits to what evaluation knows, and unties closed
/// ones. SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>

#include "evaluate.hpp"
#include "registry.hpp"

namespace bmd {

namespace {

// Two of one metric are open in the database when it was never told of the end of the older one, or
// when that one had no place in the book.  Evaluation knows one: the older one ends.  True: it was
// `alert`.
bool superseded(Index known, Index alert) noexcept
{
	const Store &s = *store();
	if(known == 0 || s.alerts[known].state != AlertState::active)
		return false;
	const bool keep = s.alerts[known].raised_at > s.alerts[alert].raised_at;
	const Actor actor{{}, {}, "a newer alert of the same metric was open beside it"};
	end_alert(keep ? alert : known, "superseded", actor, wall_now(), Ending::closed);
	return keep;
}

} // namespace

void adopt_alert(Index index) noexcept
{
	Store &s = *store();
	AlertRec &alert = s.alerts[index];
	if(alert.condition == Condition::stale) {
		if(superseded(s.devices[alert.device].stale_alert, index))
			return;
		s.devices[alert.device].stale_alert = index;
		s.heard[alert.device].flags.fetch_or(device_stale | device_seen);
		return;
	}
	MetricRec *rec = metric_of(alert.device, alert.metric);
	if(rec == nullptr)
		return;
	rec->last_onset = std::max(rec->last_onset, alert.onset_at);
	const bool active = alert.state == AlertState::active;
	const bool invalid = alert.condition == Condition::invalid;
	if(active && superseded(invalid ? rec->valid_alert : rec->limit_alert, index))
		return;
	if(invalid) {
		rec->valid_alert = index;
		rec->validity = active ? Watch{alert.onset_at, Breach::invalid, Breach::invalid} : Watch{};
		return end_unruled(alert.device, *rec);
	}
	if(rec->limit_alert != 0 && !active)
		return; // the active one keeps the place; this one waits for its acknowledgement
	rec->limit_alert = index;
	const Breach breach = alert.condition == Condition::low    ? Breach::low
						  : alert.condition == Condition::high ? Breach::high
															   : Breach::none;
	Rule rule;
	alert.past_second = rule_in_force(s.devices[alert.device], alert.metric, rule)
						&& alert.priority == Priority::high && has_second_limit(rule, breach)
						&& past_second_limit(alert.value, rule, breach, true);
	rec->limits = active ? Watch{alert.onset_at, breach, breach} : Watch{};
	end_unruled(alert.device, *rec);
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
		MetricRec &rec = s.metrics[i];
		if(rec.limit_alert == alert) {
			rec.limit_alert = 0;
			if(rec.limits.raised != Breach::none)
				rec.limits = Watch{};
		}
		if(rec.valid_alert == alert) {
			rec.valid_alert = 0;
			if(rec.validity.raised != Breach::none)
				rec.validity = Watch{};
		}
	}
}

} // namespace bmd
