/// @file describe.cpp  An alert with the words of its device.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <cmath>

#include "bmd/code.hpp"
#include "book.hpp"
#include "registry.hpp"
#include "withheld.hpp"

namespace bmd {

namespace {

std::optional<double> number(double value) noexcept
{
	return std::isnan(value) ? std::nullopt : std::optional<double>(value);
}

void describe_response(const AlertRec &alert, AlertView &view)
{
	view.code = code_text(alert.code);
	view.response = alert.response.response;
	view.answered_by = alert.response.by;
	view.answered_at = alert.response.response == Response::none ? 0 : alert.response.at;
	view.step = alert.response.step;
	view.silenced_until = alert.response.silenced_until;
	view.suppressed = alert.response.suppressed;
	view.mutes = mutes_of(alert);
	if(alert.priority_before != Priority{})
		view.priority_before = alert.priority_before;
	view.outcome = alert.response.outcome;
	view.closed_at = alert.closed_at;
}

} // namespace

void describe_alert(const AlertRec &alert, AlertView &view, const Shown &shown)
{
	const Store &s = *store();
	view.id = to_string(alert.id);
	view.serial = alert.serial;
	view.metric = metric_name(alert.metric);
	view.condition = alert.condition;
	view.kind = alert.kind;
	view.priority = alert.priority;
	view.state = alert.state;
	view.value = number(alert.value);
	view.limit = number(alert.limit);
	const MetricInfo *metric = metric_info(alert.metric);
	view.unit = metric == nullptr ? std::string_view{} : metric->ucum;
	view.measured_at = alert.measured_at;
	view.arrived_at = alert.arrived_at;
	view.onset_at = alert.onset_at;
	view.raised_at = alert.raised_at;
	view.changed_at = alert.changed_at;
	view.cleared_at = alert.cleared_at;
	view.revision = alert.revision;
	describe_response(alert, view);
	if(alert.condition == Condition::withheld)
		view.cause = withheld_cause(alert.serial);
	const Index device = find_device(alert.serial);
	if(device == 0)
		return;
	view.device_type = s.types[s.devices[device].type].name;
	if(shown.location)
		view.location = text_of(s.devices[device].location);
	// not the device's: it may serve another by now
	const Index patient = shown.identity ? find_patient(alert.patient) : 0;
	if(patient == 0)
		return;
	view.patient_name = text_of(s.patients[patient].name);
	if(shown.location) // an address is both
		view.patient_address = text_of(s.patients[patient].address);
}

} // namespace bmd
