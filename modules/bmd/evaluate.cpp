/// @file evaluate.cpp  What one reading does to the alerts of its device.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "evaluate.hpp"

#include <cmath>
#include <limits>
#include <mutex>
#include <shared_mutex>

#include "bmd_host.h"
#include "registry.hpp"
#include "tend.hpp"

namespace bmd {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// By the readings' own times: how long a value stays back within its second limit before the
// priority falls.  A value around that limit would call people again with every dip.
constexpr DurationUs second_limit_hold = 30 * second_us;

Index take_metric_slot() noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.pool_lock);
	const Index i = s.metrics.free;
	if(i != 0) {
		s.metrics.free = s.metrics[i].next;
		return i;
	}
	return s.metrics.used < s.metrics.size ? ++s.metrics.used : 0;
}

} // namespace

MetricRec *metric_of(Index device, MetricId metric) noexcept
{
	Store &s = *store();
	Index i = s.devices[device].first_metric;
	while(i != 0 && s.metrics[i].metric != metric)
		i = s.metrics[i].next;
	if(i != 0)
		return &s.metrics[i];
	i = take_metric_slot();
	if(i == 0) {
		complain(count_metrics_lost_memory,
				"no room for one more metric: raise the parameter \"metrics\"");
		return nullptr;
	}
	s.metrics[i] = MetricRec{};
	s.metrics[i].metric = metric;
	s.metrics[i].value = none;
	s.metrics[i].next = s.devices[device].first_metric;
	s.devices[device].first_metric = i;
	return &s.metrics[i];
}

namespace {

// The device itself says that its sensor is not to be trusted: no alert beside that one.
bool explained_by_device(Index device) noexcept
{
	const Store &s = *store();
	for(Index i = s.devices[device].first_alert; i != 0; i = s.alerts[i].next_of_device)
		if(s.alerts[i].condition == Condition::device && s.alerts[i].kind == AlertKind::technical)
			return true;
	return false;
}

// Ends the alert in `slot` when its condition has gone; a latched one stays there.
void gone(Index &slot, bool latching, TimeUs now) noexcept
{
	if(slot != 0 && condition_gone(slot, latching, now))
		slot = 0;
}

// What the same condition of the same metric left behind, waiting for its acknowledgement.
Index latched_before(const NewAlert &seed) noexcept
{
	const Store &s = *store();
	Index i = s.devices[seed.device].first_alert;
	while(i != 0
			&& (s.alerts[i].state != AlertState::latched || s.alerts[i].metric != seed.metric
					|| s.alerts[i].condition != seed.condition))
		i = s.alerts[i].next_of_device;
	return i;
}

// Two alerts of one metric may begin at the same moment, and the id is derived from it.
TimeUs later_onset(MetricRec &rec, TimeUs onset) noexcept
{
	rec.last_onset = std::max(onset, rec.last_onset + 1);
	return rec.last_onset;
}

// Raises in `slot`, or reopens what is latched; a latched one of the other side leaves the slot and
// stays in the device's list.  When the book is full the breach goes on waiting, so that the next
// reading tries again.
void raise_in(MetricRec &rec, Index &slot, Watch &watch, NewAlert seed) noexcept
{
	if(const Index latched = latched_before(seed); latched != 0) {
		reopen_alert(latched, seed);
		slot = latched;
		return;
	}
	seed.onset_at = later_onset(rec, seed.onset_at);
	slot = raise_alert(seed);
	if(slot == 0)
		watch.raised = Breach::none;
}

Breach side_of(Condition condition) noexcept
{
	return condition == Condition::low    ? Breach::low
		   : condition == Condition::high ? Breach::high
										  : Breach::none;
}

double limit_of(const Rule &rule, Breach side) noexcept
{
	return side == Breach::low ? rule.low : side == Breach::high ? rule.high : none;
}

bool still_past(
		AlertRec &alert, const Rule &rule, Breach side, double value, TimeUs judged) noexcept
{
	const bool past = past_second_limit(value, rule, side, alert.past_second);
	if(past || !alert.past_second || !has_second_limit(rule, side)) {
		alert.within_since = 0;
		return past;
	}
	if(alert.within_since == 0)
		alert.within_since = judged;
	return judged - alert.within_since < second_limit_hold;
}

// The rule may have changed since the alert was raised, or the value may have got worse or better.
void follow_rule(Index slot, const Rule &rule, double value, const Moment &moment) noexcept
{
	if(slot == 0)
		return;
	AlertRec &alert = store()->alerts[slot];
	await_answer(alert);
	if(alert.state != AlertState::active)
		return;
	const Breach side = side_of(alert.condition);
	const bool was_past = alert.past_second;
	alert.past_second = still_past(alert, rule, side, value, moment.judged);
	NewAlert now;
	now.priority = alert.past_second ? Priority::high : risen(rule.priority, alert.risen);
	now.limit = limit_of(rule, side);
	const bool valid = std::isfinite(value); // without a value the alert keeps its last one
	now.value = valid ? value : alert.value;
	now.measured_at = valid ? moment.measured : alert.measured_at;
	now.arrived_at = valid ? moment.arrived : alert.arrived_at;
	if(was_past == alert.past_second || !has_second_limit(rule, side))
		update_alert(slot, now, "updated", "its rule has changed");
	else
		update_alert(slot, now, "priority",
				was_past ? "the value is back within its second limit"
						 : "the value is past its second limit");
	if(valid)
		follow_value(slot, now);
}

void limits_step(Index device, MetricRec &rec, const Rule &rule, const Step &step,
		const Moment &moment) noexcept
{
	if(step.change == Change::none)
		return;
	if(step.change != Change::raise)
		gone(rec.limit_alert, rule.latching, wall_now());
	if(step.change == Change::clear)
		return;
	const Breach side = step.condition;
	const bool past = past_second_limit(rec.value, rule, side, false);
	NewAlert seed{device, rec.metric, side == Breach::low ? Condition::low : Condition::high,
			AlertKind::physiological, past ? Priority::high : rule.priority, rec.value,
			limit_of(rule, side), moment.measured, moment.arrived, step.onset};
	seed.most_per_hour = rule.most_per_hour;
	raise_in(rec, rec.limit_alert, rec.limits, seed);
	if(rec.limit_alert != 0)
		store()->alerts[rec.limit_alert].past_second = past;
}

void validity_step(
		Index device, MetricRec &rec, const Rule &rule, bool valid, const Moment &moment) noexcept
{
	if(!valid && rec.valid_alert == 0 && explained_by_device(device))
		return;
	const Step step = step_validity(rec.validity, rule.delay, valid, moment.judged);
	if(step.change == Change::clear)
		return gone(rec.valid_alert, rule.latching, wall_now());
	if(step.change != Change::raise)
		return;
	NewAlert seed{device, rec.metric, Condition::invalid, AlertKind::technical, rule.priority, none,
			none, moment.measured, moment.arrived, step.onset};
	seed.most_per_hour = rule.most_per_hour;
	raise_in(rec, rec.valid_alert, rec.validity, seed);
}

void judge(Index device, MetricRec &rec, const Moment &moment) noexcept
{
	Rule rule;
	if(!rule_in_force(store()->devices[device], rec.metric, rule)) {
		rec.limits = Watch{};
		rec.validity = Watch{};
		gone(rec.limit_alert, false, wall_now());
		gone(rec.valid_alert, false, wall_now());
		return;
	}
	const bool valid = std::isfinite(rec.value);
	validity_step(device, rec, rule, valid, moment);
	if(valid)
		limits_step(device, rec, rule, step(rec.limits, rule, rec.value, moment.judged), moment);
	follow_rule(rec.limit_alert, rule, rec.value, moment);
	follow_rule(rec.valid_alert, rule, none, moment);
}

void take_alarm(Index device, MetricRec &rec, const Reading &reading, const Moment &moment) noexcept
{
	const AlarmInfo *info = alarm_info(rec.metric);
	if(reading.kind == ReadingKind::alarm_off) {
		gone(rec.limit_alert, false, wall_now());
		return;
	}
	if(rec.limit_alert != 0) {
		change_priority(rec.limit_alert, reading.priority, moment.measured, moment.arrived);
		return;
	}
	rec.limit_alert = raise_alert(
			NewAlert{device, rec.metric, Condition::device, info->kind, reading.priority, none,
					none, moment.measured, moment.arrived, later_onset(rec, moment.judged)});
}

bool waiting(const Watch &watch) noexcept
{
	return watch.breach != Breach::none && watch.breach != watch.raised;
}

Wait wait_step(const Watch &before, const Watch &now) noexcept
{
	if(!waiting(now))
		return waiting(before) ? Wait::over : Wait::as_before;
	const bool same = waiting(before) && before.breach == now.breach && before.since == now.since;
	return same ? Wait::as_before : static_cast<Wait>(now.breach);
}

} // namespace

bool waits(const MetricRec &metric) noexcept
{
	return waiting(metric.limits) || waiting(metric.validity);
}

Waits take_reading(Index device, const Reading &reading, const Moment &moment) noexcept
{
	MetricRec *rec = metric_of(device, reading.metric);
	if(rec == nullptr)
		return {};
	rec->measured_at = moment.measured;
	rec->judged_at = moment.judged;
	if(reading.kind == ReadingKind::alarm_on || reading.kind == ReadingKind::alarm_off) {
		rec->value = reading.kind == ReadingKind::alarm_on ? 1 : 0;
		take_alarm(device, *rec, reading, moment);
		return {};
	}
	rec->value = reading.kind == ReadingKind::value ? reading.value : none;
	const Watch limits = rec->limits;
	const Watch validity = rec->validity;
	judge(device, *rec, moment);
	return {wait_step(limits, rec->limits), wait_step(validity, rec->validity)};
}

void judge_again(Index device) noexcept
{
	Store &s = *store();
	const TimeUs arrived = s.devices[device].last_arrived;
	if(!(s.heard[device].flags.load() & device_enabled))
		return;
	for(Index i = s.devices[device].first_metric; i != 0; i = s.metrics[i].next) {
		MetricRec &rec = s.metrics[i];
		if(metric_info(rec.metric) == nullptr)
			continue;
		if(rec.measured_at == 0) {
			end_unruled(device, rec);
			continue;
		}
		const bool waited = waits(rec);
		// As of its own time: that time passes says nothing of a value that was not measured again.
		judge(device, rec, Moment{rec.measured_at, rec.judged_at, arrived});
		if(waited && !waits(rec))
			journal_waits_over(s.devices[device].database_id, rec.metric);
	}
}

void end_unruled(Index device, MetricRec &rec) noexcept
{
	Rule rule;
	if(metric_info(rec.metric) == nullptr)
		return;
	const bool ruled = rule_in_force(store()->devices[device], rec.metric, rule);
	const auto limited = [&](Index alert) {
		return std::isfinite(limit_of(rule, side_of(store()->alerts[alert].condition)));
	};
	if(rec.limit_alert != 0 && !(ruled && limited(rec.limit_alert))) {
		rec.limits = Watch{};
		gone(rec.limit_alert, false, wall_now());
	}
	if(rec.valid_alert != 0 && !ruled) {
		rec.validity = Watch{};
		gone(rec.valid_alert, false, wall_now());
	}
}

Waits waits_of_judged(Index device, MetricId metric, const Moment &moment) noexcept
{
	const Store &s = *store();
	Rule rule;
	Index i = s.devices[device].first_metric;
	while(i != 0 && s.metrics[i].metric != metric)
		i = s.metrics[i].next;
	if(i == 0 || !rule_in_force(s.devices[device], metric, rule) || rule.delay == 0)
		return {};
	// As it is by now: of all readings judged the one with which the present wait began tells it.
	const auto told = [&moment](const Watch &watch) {
		if(!waiting(watch))
			return Wait::over;
		return watch.since == moment.judged ? static_cast<Wait>(watch.breach) : Wait::as_before;
	};
	return {told(s.metrics[i].limits), told(s.metrics[i].validity)};
}

} // namespace bmd
