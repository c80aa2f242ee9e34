/// @file json_output.cpp  One JSON object a line, for programs.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <iostream>
#include <nlohmann/json.hpp>

#include "watch_output.hpp"

namespace bmd::watch {

namespace {

using Json = nlohmann::ordered_json;

// null where the time is not set
Json time_json(TimeUs time)
{
	return time != 0 ? Json(format_time(time)) : Json(nullptr);
}

template <class T> Json optional_json(const std::optional<T> &value)
{
	return value ? Json(*value) : Json(nullptr);
}

std::string_view change_word(const Notification &n, const AlertView &alert)
{
	for(const Change &change : n.outcome.changes)
		if(change.alert.id == alert.id)
			return change.kind == ChangeKind::raised    ? "raised"
				   : change.kind == ChangeKind::changed ? "changed"
														: "cleared";
	return "same";
}

Json devices_json(const AlertView &alert)
{
	Json devices = Json::array();
	for(const StormDevice &device : alert.some)
		devices.push_back({{"serial", device.serial}, {"location", device.location},
				{"patient_name", device.patient_name}});
	return devices;
}

Json alert_json(const Notification &n, const AlertView &alert)
{
	return {{"id", alert.id}, {"serial", alert.serial}, {"device_type", alert.device_type},
			{"metric", alert.metric}, {"condition", to_string(alert.condition)},
			{"kind", to_string(alert.kind)}, {"priority", to_string(alert.priority)},
			{"state", to_string(alert.state)}, {"value", optional_json(alert.value)},
			{"limit", optional_json(alert.limit)}, {"unit", alert.unit},
			{"location", alert.location}, {"patient_name", alert.patient_name},
			{"patient_address", alert.patient_address},
			{"measured_at", time_json(alert.measured_at)}, {"measured_us", alert.measured_at},
			{"arrived_at", time_json(alert.arrived_at)}, {"onset_at", time_json(alert.onset_at)},
			{"raised_at", time_json(alert.raised_at)}, {"changed_at", time_json(alert.changed_at)},
			{"cleared_at", time_json(alert.cleared_at)}, {"revision", alert.revision},
			{"code", alert.code}, {"response", to_string(alert.response)},
			{"answered_by", alert.answered_by}, {"answered_at", time_json(alert.answered_at)},
			{"step", alert.step}, {"silenced_until", time_json(alert.silenced_until)},
			{"suppressed", to_string(alert.suppressed)}, {"mutes", alert.mutes},
			{"priority_before", alert.priority_before ? Json(to_string(*alert.priority_before))
													  : Json(nullptr)},
			{"outcome", to_string(alert.outcome)}, {"closed_at", time_json(alert.closed_at)},
			{"cause", alert.cause}, {"devices", alert.devices}, {"some", devices_json(alert)},
			{"change", change_word(n, alert)},
			{"latency_ms", optional_json(latency_ms(alert, n.received))}};
}

// Alerts that a full document ended by not naming them.
Json gone_json(const Notification &n)
{
	Json gone = Json::array();
	for(const Change &change : n.outcome.changes)
		if(change.kind == ChangeKind::cleared && change.alert.state != AlertState::cleared)
			gone.push_back(change.alert.id);
	return gone;
}

Json watchers_json(const Notification &n)
{
	Json watchers = Json::array();
	for(const WatcherList &list : n.watchers->lists)
		for(const WatcherEntry &watcher : list.watchers)
			watchers.push_back({{"resource", list.resource}, {"uri", watcher.uri},
					{"id", watcher.id}, {"status", to_string(watcher.status)},
					{"event", to_string(watcher.event)},
					{"subscribed_s", optional_json(watcher.subscribed)}});
	return watchers;
}

std::string line(const Json &json)
{
	return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

void write(const std::string &text)
{
	std::cout << text << std::flush;
}

class JsonOutput : public Output
{
public:
	void notification(const Notification &n) override { write(json_of(n)); }
	void event(const Event &e) override { write(json_of(e)); }
	void answered(const Answered &a) override { write(json_of(a)); }
};

} // namespace

std::string json_of(const Notification &n)
{
	Json json = {{"received", format_time(n.received)}, {"received_us", n.received},
			{"feed", n.feed ? n.feed->feed : n.subscribed}, {"subscribed", n.subscribed},
			{"state", nullptr}, {"version", nullptr}, {"more", 0}, {"cseq", n.cseq},
			{"subscription_state", n.subscription_state}, {"reason", n.reason},
			{"call_id", n.call_id}};
	Json alerts = Json::array();
	if(n.feed) {
		json["state"] = n.feed->full ? "full" : "partial";
		json["version"] = n.feed->version;
		json["more"] = n.feed->more;
		if(n.feed->counted)
			json["counted"] = *n.feed->counted;
		if(n.feed->filtered)
			json["filtered"] = *n.feed->filtered;
		json["at"] = time_json(n.feed->at);
		json["verdict"] = to_string(n.outcome.verdict);
		json["open"] = n.open.size();
		json["gone"] = gone_json(n);
		for(const AlertView &alert : n.feed->alerts)
			alerts.push_back(alert_json(n, alert));
	}
	if(n.watchers) {
		json["state"] = n.watchers->full ? "full" : "partial";
		json["version"] = n.watchers->version;
		json["verdict"] = to_string(n.news.verdict);
		json["watchers"] = watchers_json(n);
	}
	if(!n.mistake.empty())
		json["mistake"] = n.mistake;
	json["alerts"] = std::move(alerts);
	return line(json);
}

std::string json_of(const Event &e)
{
	Json json = {{"event", e.name}, {"at", format_time(e.at)}};
	if(!e.feed.empty())
		json["feed"] = e.feed;
	if(e.status != 0)
		json["status"] = e.status;
	if(!e.reason.empty())
		json["reason"] = e.reason;
	if(e.expires)
		json["expires"] = *e.expires;
	if(e.since != 0)
		json["since"] = format_time(e.since);
	if(e.in_ms)
		json["in_ms"] = *e.in_ms;
	if(!e.call_id.empty())
		json["call_id"] = e.call_id;
	if(e.replayed)
		json["replayed"] = *e.replayed;
	return line(json);
}

std::string json_of(const Answered &a)
{
	return line({{"event", "answer"}, {"at", format_time(a.at)}, {"action", a.action},
			{"alert", a.alert}, {"status", a.status}, {"result", a.result}, {"reason", a.reason},
			{"unknown", a.unknown}});
}

std::unique_ptr<Output> json_output()
{
	return std::make_unique<JsonOutput>();
}

} // namespace bmd::watch
