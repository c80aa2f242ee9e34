/// @file evaluate.cpp  What one reading does to the alerts of its device.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "evaluate.hpp"

#include <cmath>
#include <limits>
#include <mutex>
#include <shared_mutex>

#include "bmd_host.h"
#include "registry.hpp"

namespace bmd {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view no_data = "NoData";

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

// The rule may have changed since the alert was raised.
void follow_rule(Index slot, const Rule &rule, double value, const Moment &moment) noexcept
{
	if(slot == 0 || store()->alerts[slot].state != AlertState::active)
		return;
	const AlertRec &alert = store()->alerts[slot];
	NewAlert now;
	now.priority = rule.priority;
	now.limit = alert.condition == Condition::low    ? rule.low
				: alert.condition == Condition::high ? rule.high
													 : none;
	const bool valid = std::isfinite(value); // without a value the alert keeps its last one
	now.value = valid ? value : alert.value;
	now.measured_at = valid ? moment.measured : alert.measured_at;
	now.arrived_at = valid ? moment.arrived : alert.arrived_at;
	update_alert(slot, now);
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
	const bool low = step.condition == Breach::low;
	raise_in(rec, rec.limit_alert, rec.limits,
			NewAlert{device, rec.metric, low ? Condition::low : Condition::high,
					AlertKind::physiological, rule.priority, rec.value, low ? rule.low : rule.high,
					moment.measured, moment.arrived, step.onset});
}

void validity_step(
		Index device, MetricRec &rec, const Rule &rule, bool valid, const Moment &moment) noexcept
{
	if(!valid && rec.valid_alert == 0 && explained_by_device(device))
		return;
	const Step step = step_validity(rec.validity, rule.delay, valid, moment.judged);
	if(step.change == Change::clear)
		gone(rec.valid_alert, rule.latching, wall_now());
	else if(step.change == Change::raise)
		raise_in(rec, rec.valid_alert, rec.validity,
				NewAlert{device, rec.metric, Condition::invalid, AlertKind::technical,
						rule.priority, none, none, moment.measured, moment.arrived, step.onset});
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

} // namespace

void device_heard(Index index, TimeUs arrived) noexcept
{
	Store &s = *store();
	HeardRec &heard = s.heard[index];
	heard.mono.store(mono_now(), std::memory_order_relaxed);
	s.devices[index].last_arrived = arrived;
	const std::uint8_t flags = heard.flags.load(std::memory_order_relaxed);
	if(!(flags & device_seen))
		heard.flags.fetch_or(device_seen);
	if(!(flags & device_stale))
		return;
	heard.flags.fetch_and(static_cast<std::uint8_t>(~device_stale));
	if(s.devices[index].stale_alert != 0)
		end_alert(s.devices[index].stale_alert, "cleared", Actor{}, wall_now());
	s.devices[index].stale_alert = 0;
}

namespace {

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
		if(metric_info(rec.metric) == nullptr || rec.measured_at == 0)
			continue;
		const bool waited = waits(rec);
		// As of its own time: that time passes says nothing of a value that was not measured again.
		judge(device, rec, Moment{rec.measured_at, rec.judged_at, arrived});
		if(waited && !waits(rec))
			journal_waits_over(s.devices[device].database_id, rec.metric);
	}
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

void raise_stale(Index index) noexcept
{
	Store &s = *store();
	DeviceRec &device = s.devices[index];
	const std::lock_guard<Mutex> guard(s.stripe[index % stripes]);
	const TimeUs now = mono_now();
	if(device.serial[0] == '\0' || !silent_without_alert(index, now))
		return;
	const AlarmInfo *info = find_alarm(no_data);
	const Index alert = raise_alert(
			NewAlert{index, info->id, Condition::stale, info->kind, info->priority, none, none,
					device.last_measured, device.last_arrived, silent_since(index, now)});
	if(alert == 0)
		return; // the book is full: the next round tries again
	device.stale_alert = alert;
	s.heard[index].flags.fetch_or(device_stale);
}

} // namespace

void look_for_silence(Index from, Index to) noexcept
{
	Store &s = *store();
	const TimeUs now = mono_now();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	for(Index i = from; i <= to && i <= s.devices.used; ++i)
		if(silent_without_alert(i, now))
			raise_stale(i);
}

void adopt_alert(Index index) noexcept
{
	Store &s = *store();
	const AlertRec &alert = s.alerts[index];
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
	const Breach breach = alert.condition == Condition::low    ? Breach::low
						  : alert.condition == Condition::high ? Breach::high
															   : Breach::none;
	rec->limits = active ? Watch{alert.onset_at, breach, breach} : Watch{};
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

} // namespace bmd
