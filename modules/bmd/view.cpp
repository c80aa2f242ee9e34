/// @file view.cpp  Copies of records as the C shims show them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "view.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "book.hpp"
#include "evaluate.hpp"
#include "permits.hpp"
#include "registry.hpp"
#include "storm.hpp"
#include "windows.hpp"

namespace bmd {

namespace {

template <std::size_t N> void put(char (&to)[N], std::string_view text)
{
	copy_text(to, N, text);
}

template <std::size_t N> void put_number(char (&to)[N], double value)
{
	std::array<char, N> text{};
	if(std::isfinite(value))
		std::to_chars(text.data(), text.data() + N - 1, value);
	put(to, text.data());
}

template <std::size_t N> void put_time(char (&to)[N], TimeUs time)
{
	put(to, time == 0 ? std::string() : format_time(time));
}

} // namespace

void show_device(Index index, bmd_device_view &view, const Shown &shown)
{
	const Store &s = *store();
	const DeviceRec &device = s.devices[index];
	const std::uint8_t flags = s.heard[index].flags.load();
	view = {};
	put(view.serial, device.serial);
	put(view.type, s.types[device.type].name);
	if(shown.location)
		put(view.location, text_of(device.location));
	if(shown.identity && device.patient != 0)
		put(view.patient, text_of(s.patients[device.patient].name));
	if(shown.identity && shown.location && device.patient != 0)
		put(view.patient_address, text_of(s.patients[device.patient].address));
	put_time(view.last_heard, device.last_arrived);
	view.enabled = (flags & device_enabled) != 0;
	// silence itself, not its alert, which a full book may have no room for
	view.stale = (flags & device_stale) != 0 || silent(index, mono_now());
	for(Index i = device.first_alert; i != 0; i = s.alerts[i].next_of_device)
		++view.open_alerts;
}

namespace {

// By the readings, not by the alert: a full book must not show what is wrong as right.
const char *state_of(const MetricRec &metric)
{
	if(metric_info(metric.metric) == nullptr)
		return metric.value != 0 ? "alarm" : "ok";
	switch(metric.limits.breach) {
		case Breach::low:
			return "low";
		case Breach::high:
			return "high";
		default:
			return metric.validity.breach != Breach::none ? "invalid" : "ok";
	}
}

} // namespace

void show_metric(const DeviceRec &device, const MetricRec &metric, bmd_metric_view &view)
{
	view = {};
	put(view.name, metric_name(metric.metric));
	put_time(view.measured_at, metric.measured_at);
	put(view.state, state_of(metric));
	const MetricInfo *info = metric_info(metric.metric);
	if(info == nullptr) {
		put(view.value, metric.value != 0 ? "on" : "off");
		return;
	}
	put(view.unit, info->ucum);
	if(std::isnan(metric.value))
		put(view.value, "invalid");
	else
		put_number(view.value, metric.value);
	Rule rule;
	if(!rule_in_force(device, metric.metric, rule))
		return;
	put_number(view.low, rule.low);
	put_number(view.high, rule.high);
}

void show_window(const WindowRec &window, TimeUs now, bmd_window_view &view)
{
	static constexpr std::array<std::string_view, 5> scopes{
			"", "device ", "type ", "group ", "everything"};
	view = {};
	put(view.of, std::string(scopes[static_cast<std::size_t>(window.scope)]) + window.name);
	put_time(view.from, window.from);
	put_time(view.until, window.until);
	put(view.who, window.who);
	put(view.why, window.why);
	view.in_force = window.from <= now && now < window.until;
}

void show_window_of(Index device, bmd_window_view &view)
{
	WindowRec window{};
	const TimeUs now = wall_now();
	view = {};
	if(device != 0 && find_window(device, now, window))
		show_window(window, now, view);
}

namespace {

// The person's devices; who has none, as one whom a storm was escalated to, is told of all.
void describe_for(const AlertRec &storm, std::string_view person, AlertView &view)
{
	const Permits permits;
	const ShownDevice shown = permits.shown_to(person, person);
	AlertView own = view;
	describe_storm(storm, person, own, shown);
	if(own.devices != 0 || person.empty())
		view = own;
	else
		describe_storm(storm, {}, view, shown);
}

// As many as the view holds.
std::string named_devices(const AlertView &all)
{
	constexpr std::size_t most = 10;
	const std::size_t named = std::min(all.some.size(), most);
	std::string text;
	for(std::size_t i = 0; i < named; ++i)
		text += (text.empty() ? "" : ", ") + all.some[i].serial;
	if(all.devices > named)
		text += " and " + std::to_string(all.devices - named) + " more";
	return text;
}

void show_response(const AlertView &all, bmd_alert_view &view)
{
	put(view.code, all.code);
	put(view.response, to_string(all.response));
	put(view.answered_by, all.answered_by);
	put_time(view.answered_at, all.answered_at);
	view.step = static_cast<int>(all.step);
	put_time(view.silenced_until, all.silenced_until);
	put(view.suppressed, to_string(all.suppressed));
	view.mutes = static_cast<int>(all.mutes);
	if(all.priority_before)
		put(view.priority_before, to_string(*all.priority_before));
	put(view.outcome, to_string(all.outcome));
	put_time(view.cleared_at, all.cleared_at);
}

} // namespace

void show_alert(
		const AlertRec &alert, bmd_alert_view &view, std::string_view person, const Shown &shown)
{
	AlertView all;
	describe_alert(alert, all, shown);
	if(alert.condition == Condition::storm)
		describe_for(alert, person, all);
	view = {};
	put(view.id, all.id);
	put(view.serial, all.serial);
	put(view.type, all.device_type);
	put(view.metric, all.metric);
	put(view.condition, to_string(all.condition));
	put(view.kind, to_string(all.kind));
	put(view.priority, to_string(all.priority));
	put(view.state, to_string(all.state));
	put_number(view.value, all.value.value_or(std::nan("")));
	put_number(view.limit, alert.limit);
	put(view.cause, all.cause);
	put(view.devices, named_devices(all));
	put(view.unit, all.unit);
	put(view.location, all.location);
	put(view.patient, all.patient_name);
	put(view.patient_address, all.patient_address);
	put_time(view.measured_at, all.measured_at);
	put_time(view.arrived_at, all.arrived_at);
	put_time(view.onset_at, all.onset_at);
	put_time(view.raised_at, all.raised_at);
	put_time(view.changed_at, all.changed_at);
	view.revision = all.revision;
	show_response(all, view);
}

} // namespace bmd
