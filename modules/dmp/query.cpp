/// @file query.cpp  Answers to a DMP Query.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "query.hpp"

#include <algorithm>
#include <string>

#include "bmd/metric.hpp"
#include "bmd/report.hpp"
#include "book.hpp"

namespace bmd::dmp {

namespace {

constexpr long most_alerts = 48;

struct Known
{
	bmd_device_view device{};
	std::vector<bmd_metric_view> metrics;
};

void add_metric(const bmd_metric_view *metric, void *known)
{
	static_cast<Known *>(known)->metrics.push_back(*metric);
}

QueryResponse::Item item(std::string variable, std::string value, ResultCode code)
{
	return {std::move(variable), {std::move(value)}, {std::string(result_text(code))}, {}};
}

QueryResponse::Item item_of(const bmd_metric_view &metric)
{
	QueryResponse::Item told = item(metric.name, metric.value, ResultCode::ok);
	told.reading =
			MetricState{metric.unit, metric.state, metric.measured_at, metric.low, metric.high};
	return told;
}

std::string state_of(const bmd_device_view &device)
{
	return device.enabled == 0 ? "disabled" : device.stale != 0 ? "stale" : "ok";
}

std::vector<QueryResponse::Item> facts_of(const bmd_device_view &device)
{
	const auto fact = [](const char *name, std::string value) {
		return item(name, std::move(value), ResultCode::ok);
	};
	return {fact("device-type", device.type), fact("location", device.location),
			fact("patient", device.patient), fact("patient-address", device.patient_address),
			fact("last-heard", device.last_heard), fact("state", state_of(device)),
			fact("open-alerts", std::to_string(device.open_alerts))};
}

template <class T, class Parse> void put(T &to, const char *text, const Parse &parse)
{
	if(const auto value = parse(text); value)
		to = *value;
}

template <class T> T time_of(const char *text, T otherwise)
{
	const auto time = parse_time(text);
	return time ? *time : otherwise;
}

std::optional<double> number_of(const char *text)
{
	const auto number = parse_number(text);
	return number ? std::optional<double>(*number) : std::nullopt;
}

void put_answer(AlertView &to, const bmd_alert_view &from)
{
	to.code = from.code;
	put(to.response, from.response, parse_response);
	to.answered_by = from.answered_by;
	to.answered_at = time_of<TimeUs>(from.answered_at, 0);
	to.step = static_cast<std::uint32_t>(from.step);
	to.silenced_until = time_of<TimeUs>(from.silenced_until, 0);
	put(to.suppressed, from.suppressed, parse_suppression);
	to.mutes = static_cast<std::uint32_t>(from.mutes);
	to.priority_before = parse_priority(from.priority_before);
	put(to.outcome, from.outcome, parse_outcome);
}

AlertView view_of(const bmd_alert_view &from)
{
	AlertView to;
	to.id = from.id;
	to.serial = from.serial;
	to.device_type = from.type;
	to.metric = from.metric;
	put(to.condition, from.condition, parse_condition);
	put(to.kind, from.kind, parse_kind);
	put(to.priority, from.priority, parse_priority);
	put(to.state, from.state, parse_state);
	to.value = number_of(from.value);
	to.limit = number_of(from.limit);
	to.unit = from.unit;
	to.location = from.location;
	to.patient_name = from.patient;
	to.patient_address = from.patient_address;
	to.measured_at = time_of<TimeUs>(from.measured_at, 0);
	to.arrived_at = time_of<TimeUs>(from.arrived_at, 0);
	to.onset_at = time_of<TimeUs>(from.onset_at, 0);
	to.raised_at = time_of<TimeUs>(from.raised_at, 0);
	to.changed_at = time_of<TimeUs>(from.changed_at, 0);
	to.cleared_at = time_of<TimeUs>(from.cleared_at, 0);
	to.revision = from.revision;
	put_answer(to, from);
	return to;
}

void put_deliveries(AlertView &alert)
{
	bmd_reach_view reach{};
	book().alert_reach(text_of(alert.id), &reach);
	alert.delivered_to = reach.delivered_to;
	alert.seen_by = reach.seen_by;
}

// Builds the response variable by variable.
class Answer
{
public:
	Answer(const Known &known, std::string_view user) : known_(known), user_(user) {}

	void variable(const std::string &name)
	{
		const bool all = name == "all";
		if(all)
			append(facts_of(known_.device));
		if(all || name == "values") {
			for(const bmd_metric_view &metric : known_.metrics)
				response_.items.push_back(item_of(metric));
			if(known_.metrics.empty() && !all)
				response_.items.push_back(item(name, "", ResultCode::no_answer));
			return;
		}
		if(name == "alerts" || name == "deliveries")
			alerts(name);
		else
			one(name);
	}

	[[nodiscard]] std::vector<Entry> entries() &&
	{
		std::vector<Entry> entries;
		entries.emplace_back(std::move(response_));
		for(Notify &notify : notifies_)
			entries.emplace_back(std::move(notify));
		return entries;
	}

private:
	void append(std::vector<QueryResponse::Item> items)
	{
		for(auto &one : items)
			response_.items.push_back(std::move(one));
	}
	void one(const std::string &name)
	{
		for(const bmd_metric_view &metric : known_.metrics)
			if(name == metric.name)
				return response_.items.push_back(item_of(metric));
		for(auto &fact : facts_of(known_.device))
			if(name == fact.variable)
				return response_.items.push_back(std::move(fact));
		const bool exists = find_metric(name) != nullptr || find_alarm(name) != nullptr;
		response_.items.push_back(item(name.substr(0, longest_echo), "",
				exists ? ResultCode::no_answer : ResultCode::unknown_variable));
	}
	void alerts(const std::string &name)
	{
		const auto open = alerts_of_device(user_, known_.device.serial, most_alerts);
		response_.items.push_back(
				item(name, std::to_string(known_.device.open_alerts), ResultCode::ok));
		for(const bmd_alert_view &alert : open) {
			Notify notify;
			notify.items.push_back({alert.metric, {alert.value}, {alert.condition}, {}});
			notify.alert = view_of(alert);
			book().seen(text_of(alert.id), text_of(user_));
			if(name == "deliveries")
				put_deliveries(*notify.alert);
			notifies_.push_back(std::move(notify));
		}
	}

	const Known &known_;
	std::string_view user_;
	QueryResponse response_;
	std::vector<Notify> notifies_;
};

} // namespace

QueryResponse refuse_query(const Query &query, ResultCode code)
{
	QueryResponse response;
	for(const std::string &variable : query.variables)
		response.items.push_back(item(variable.substr(0, longest_echo), "", code));
	return response;
}

std::vector<Entry> answer_query(std::string_view user, std::string_view device, const Query &query)
{
	Known known;
	known.metrics.reserve(max_actions); // so that add_metric() allocates nothing
	if(book().device_for(text_of(user), text_of(device), &known.device, add_metric, &known) != 1)
		return {Entry(refuse_query(query, ResultCode::forbidden))};
	Answer answer(known, user);
	for(auto name = query.variables.begin(); name != query.variables.end(); ++name)
		if(std::find(query.variables.begin(), name, *name) == name) // what comes twice is one
			answer.variable(*name);
	return std::move(answer).entries();
}

} // namespace bmd::dmp
