/// @file watch_test.cpp  Unit tests for the parts of bmd-watch without SIP.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <nlohmann/json.hpp>

#include "feed_state.hpp"
#include "suites.hpp"
#include "watch_output.hpp"

namespace {

using namespace bmd::watch;
using bmd::AlertState;
using bmd::AlertView;
using bmd::dmp::Feed;

constexpr bmd::TimeUs now = 1'795'230'000'123'456;

AlertView alert(
		const std::string &id, std::uint32_t revision = 1, AlertState state = AlertState::active)
{
	AlertView view;
	view.id = id;
	view.serial = "OX-1";
	view.metric = "SpO2";
	view.value = 81.5;
	view.limit = 90;
	view.unit = "%";
	view.state = state;
	view.revision = revision;
	view.measured_at = now - 12'345;
	view.onset_at = now - 1'000'000;
	return view;
}

Feed full(std::uint32_t version, std::vector<AlertView> alerts, std::uint32_t more = 0)
{
	return {"sip:tech1@home.example", version, true, now, more, {}, std::move(alerts)};
}

Feed partial(std::uint32_t version, std::vector<AlertView> alerts, std::uint32_t more = 0)
{
	return {"sip:tech1@home.example", version, false, now, more, {}, std::move(alerts)};
}

// "taken +a ~b -c": verdict, raised, changed, cleared.
std::string told(const Outcome &outcome)
{
	std::string text(to_string(outcome.verdict));
	for(const Change &change : outcome.changes)
		text += std::string(change.kind == ChangeKind::raised    ? " +"
							: change.kind == ChangeKind::changed ? " ~"
																 : " -")
				+ change.alert.id;
	return text;
}

std::string open_ids(const FeedState &state)
{
	std::string ids;
	for(const AlertView &view : state.open())
		ids += view.id;
	return ids;
}

void full_replaces_and_partial_merges()
{
	FeedState state;
	BMD_EQUAL(told(state.take(full(5, {alert("a"), alert("b")}))), "taken +a +b");
	BMD_EQUAL(told(state.take(partial(6, {alert("b", 2), alert("c")}))), "taken ~b +c");
	BMD_EQUAL(told(state.take(partial(7, {alert("a", 2, AlertState::cleared)}))), "taken -a");
	BMD_EQUAL(open_ids(state), "bc");
	BMD_EQUAL(told(state.take(full(8, {alert("c"), alert("d")}))), "taken +d -b");
	BMD_EQUAL(open_ids(state), "cd");
}

void a_partial_document_after_a_gap_is_shown_and_told()
{
	FeedState state;
	(void)state.take(full(1, {alert("a")}));
	BMD_EQUAL(told(state.take(partial(3, {alert("b")}))), "gap +b");
	BMD_EQUAL(told(state.take(partial(4, {alert("c")}))), "taken +c");
	BMD_EQUAL(told(state.take(full(9, {alert("b")}))), "taken -a -c");
}

void a_subscription_must_begin_with_a_full_document()
{
	FeedState state;
	BMD_EQUAL(told(state.take(partial(7, {alert("a")}))), "gap +a");
	state.restart();
	CU_ASSERT(!state.version());
	BMD_EQUAL(open_ids(state), "a");
	BMD_EQUAL(told(state.take(full(1, {alert("b")}))), "taken +b -a");
}

void a_version_that_is_not_above_the_last_is_ignored()
{
	FeedState state;
	(void)state.take(full(5, {alert("a")}));
	BMD_EQUAL(told(state.take(partial(5, {alert("b")}))), "old");
	BMD_EQUAL(told(state.take(partial(4, {alert("a", 2, AlertState::cleared)}))), "old");
	BMD_EQUAL(told(state.take(full(5, {}))), "old");
	BMD_EQUAL(open_ids(state), "a");
	BMD_EQUAL(state.version().value_or(0), 5U);
}

void the_highest_version_is_not_followed_by_zero()
{
	FeedState state;
	(void)state.take(full(4'294'967'295U, {}));
	BMD_EQUAL(told(state.take(partial(0, {alert("a")}))), "old");
}

void alerts_of_a_paged_state_are_cleared_only_when_all_pages_are_there()
{
	FeedState state;
	(void)state.take(full(1, {alert("a"), alert("b"), alert("c")}));
	// pages that count down
	BMD_EQUAL(told(state.take(full(2, {alert("x")}, 2))), "taken +x");
	BMD_EQUAL(told(state.take(partial(3, {alert("b")}, 1))), "taken");
	BMD_EQUAL(told(state.take(partial(4, {alert("c")}))), "taken -a");
	BMD_EQUAL(open_ids(state), "bcx");
	// only the first page says how many
	BMD_EQUAL(told(state.take(full(5, {alert("x")}, 2))), "taken");
	BMD_EQUAL(told(state.take(partial(6, {alert("y")}))), "taken +y");
	BMD_EQUAL(told(state.take(partial(7, {alert("c")}))), "taken -b");
}

void an_older_revision_changes_nothing()
{
	FeedState state;
	(void)state.take(full(1, {alert("a", 3)}));
	BMD_EQUAL(told(state.take(partial(2, {alert("a", 2, AlertState::cleared)}))), "taken");
	BMD_EQUAL(told(state.take(partial(3, {alert("a", 3)}))), "taken");
	BMD_EQUAL(open_ids(state), "a");
}

void the_most_urgent_alert_comes_first_then_the_oldest()
{
	AlertView low = alert("l");
	low.priority = bmd::Priority::low;
	low.onset_at = 1;
	AlertView old = alert("o");
	old.onset_at = 2;
	FeedState state;
	(void)state.take(full(1, {low, alert("h"), old}));
	BMD_EQUAL(open_ids(state), "ohl");
}

Notification notification(const Feed &feed, FeedState &state)
{
	Notification n;
	n.received = now;
	n.subscribed = feed.feed;
	n.cseq = 3;
	n.call_id = "abc";
	n.subscription_state = "active";
	n.outcome = state.take(feed);
	n.feed = feed;
	n.open = state.open();
	return n;
}

void an_alert_line_says_everything_the_technician_needs()
{
	FeedState state;
	BMD_EQUAL(text_of(notification(full(1, {}), state)),
			"STATE 03:00:00Z sip:tech1@home.example: no open alert\n");
	AlertView view = alert("a");
	view.device_type = "Nonin 8500";
	view.patient_name = "Zo\xC3\xAB\x1B[2J\xC2\x9B"
						"31m\nX";
	view.location = "2nd floor";
	BMD_EQUAL(text_of(notification(partial(2, {view}), state)),
			"ALERT 03:00:00Z HIGH  SpO2 81.5 % below limit 90 % | OX-1 (Nonin 8500) | "
			"Zo\xC3\xAB [2J 31m X, 2nd floor | physiological, active | "
			"12 ms since the last byte\n");
	view.revision = 2;
	BMD_EQUAL(text_of(notification(partial(3, {view}), state)).substr(0, 22),
			"CHANGED 03:00:00Z HIGH");
	view.state = AlertState::cleared;
	view.revision = 3;
	const std::string clear = text_of(notification(partial(4, {view}), state));
	CU_ASSERT(clear.starts_with("CLEAR 03:00:00Z HIGH  SpO2 81.5 %"));
	CU_ASSERT(clear.find("last byte") == std::string::npos);
}

void an_alert_without_value_limit_and_reading_is_told_without()
{
	FeedState state;
	(void)state.take(full(1, {}));
	AlertView view;
	view.id = "a";
	view.serial = "V-7";
	view.metric = "LowO2Supply";
	view.condition = bmd::Condition::device;
	view.kind = bmd::AlertKind::technical;
	view.priority = bmd::Priority::medium;
	BMD_EQUAL(text_of(notification(partial(2, {view}), state)),
			"ALERT 03:00:00Z MEDIUM  LowO2Supply: alarm of the device | V-7 | no patient | "
			"technical, active\n");
}

void an_alert_line_says_what_people_made_of_it()
{
	FeedState state;
	(void)state.take(full(1, {}));
	AlertView view;
	view.id = "a";
	view.serial = "V-7";
	view.metric = "NoData";
	view.condition = bmd::Condition::stale;
	view.kind = bmd::AlertKind::technical;
	view.priority = bmd::Priority::medium;
	view.code = "AC347";
	view.response = bmd::Response::accepted;
	view.answered_by = "tech1";
	view.silenced_until = now + 120 * bmd::second_us;
	view.suppressed = bmd::Suppression::maintenance;
	view.mutes = 2;
	view.priority_before = bmd::Priority::low;
	BMD_EQUAL(text_of(notification(partial(2, {view}), state)),
			"ALERT 03:00:00Z MEDIUM  NoData: nothing heard | V-7 | no patient | technical, active"
			" | accepted by tech1 | silenced until 03:02:00Z | suppressed: maintenance | mutes 2 "
			"alerts of the device | priority was low | code AC347\n");
}

AlertView storm(std::uint32_t devices)
{
	AlertView view;
	view.id = "s";
	view.serial = "@home-3";
	view.metric = "NoData";
	view.condition = bmd::Condition::storm;
	view.kind = bmd::AlertKind::technical;
	view.priority = bmd::Priority::high;
	view.cause = "collector home-3";
	view.devices = devices;
	view.value = devices;
	view.some = {{"OX-1", "bedroom", "Ann"}, {"V-7", "", ""}};
	return view;
}

void a_storm_is_told_in_words_with_its_count_and_its_devices()
{
	FeedState state;
	(void)state.take(full(1, {}));
	BMD_EQUAL(text_of(notification(partial(2, {storm(12)}), state)),
			"ALERT 03:00:00Z HIGH  12 devices silent: OX-1 (Ann), V-7 and 10 more (collector "
			"home-3) | "
			"@home-3 | several patients | technical, active\n");
	AlertView fewer = storm(2);
	fewer.revision = 2;
	BMD_EQUAL(text_of(notification(partial(3, {fewer}), state)),
			"NOW 2 03:00:00Z HIGH  2 devices silent: OX-1 (Ann), V-7 (collector home-3) | "
			"@home-3 | several patients | technical, active\n");
}

// What the line of a change begins with.
std::string change_of(const AlertView &before, const AlertView &after)
{
	FeedState state;
	(void)state.take(full(1, {before}));
	AlertView next = after;
	next.revision = before.revision + 1;
	const std::string line = text_of(notification(partial(2, {next}), state));
	CU_ASSERT(line.find("last byte") == std::string::npos);
	return line.substr(0, line.find(" 03:00:00Z"));
}

void a_change_is_named_and_a_call_to_act_is_not_taken_for_an_answer()
{
	const AlertView plain = alert("a");
	AlertView taken = plain;
	taken.response = bmd::Response::accepted;
	taken.answered_by = "ann";
	AlertView silenced = plain;
	silenced.silenced_until = now + 120 * bmd::second_us;
	AlertView worked_on = plain;
	worked_on.suppressed = bmd::Suppression::maintenance;
	AlertView less = plain;
	less.priority = bmd::Priority::low;
	AlertView latched = plain;
	latched.state = AlertState::latched;
	AlertView resolved = taken;
	resolved.response = bmd::Response::acknowledged;
	resolved.outcome = bmd::Outcome::false_alarm;
	BMD_EQUAL(change_of(plain, taken), "ACCEPTED by ann");
	BMD_EQUAL(change_of(taken, plain), "NOBODY HAS IT");
	BMD_EQUAL(change_of(plain, silenced), "SILENCED until 03:02:00Z");
	BMD_EQUAL(change_of(silenced, plain), "SILENCE OVER");
	BMD_EQUAL(change_of(plain, worked_on), "SUPPRESSED: maintenance");
	BMD_EQUAL(change_of(worked_on, plain), "RESUMED");
	BMD_EQUAL(change_of(less, plain), "RISEN from low");
	BMD_EQUAL(change_of(plain, less), "FALLEN from high");
	BMD_EQUAL(change_of(plain, latched), "LATCHED");
	BMD_EQUAL(change_of(latched, plain), "BACK");
	BMD_EQUAL(change_of(taken, resolved), "ACKNOWLEDGED by ann, RESOLVED: false");
}

void a_suppressed_alert_stands_below_all_others()
{
	AlertView high = alert("h");
	high.suppressed = bmd::Suppression::maintenance;
	AlertView medium = alert("m");
	medium.priority = bmd::Priority::medium;
	FeedState state;
	(void)state.take(full(1, {high, medium}));
	BMD_EQUAL(open_ids(state), "mh");
}

void a_json_line_has_every_field()
{
	FeedState state;
	(void)state.take(full(1, {}));
	AlertView view = alert("a");
	view.patient_name = "A \"B\"\n";
	const std::string text = json_of(notification(partial(2, {view}, 4), state));
	BMD_EQUAL(text.find('\n'), text.size() - 1);
	const auto json = nlohmann::json::parse(text);
	BMD_EQUAL(json["received"].get<std::string>(), "2026-11-21T03:00:00.123456Z");
	BMD_EQUAL(json["received_us"].get<std::int64_t>(), now);
	BMD_EQUAL(json["state"].get<std::string>(), "partial");
	BMD_EQUAL(json["version"].get<int>(), 2);
	BMD_EQUAL(json["more"].get<int>(), 4);
	BMD_EQUAL(json["cseq"].get<int>(), 3);
	BMD_EQUAL(json["subscription_state"].get<std::string>(), "active");
	const auto &first = json["alerts"][0];
	for(const char *name : {"id", "serial", "device_type", "metric", "condition", "kind",
				"priority", "state", "value", "limit", "unit", "location", "patient_name",
				"patient_address", "measured_at", "measured_us", "arrived_at", "onset_at",
				"raised_at", "changed_at", "cleared_at", "revision", "latency_ms", "code",
				"response", "answered_by", "answered_at", "step", "silenced_until", "suppressed",
				"mutes", "priority_before", "outcome", "closed_at", "cause", "devices", "some"})
		BMD_EQUAL(std::string(name) + (first.contains(name) ? "" : " is missing"), name);
	BMD_EQUAL(first["latency_ms"].get<double>(), 12.345);
	BMD_EQUAL(first["patient_name"].get<std::string>(), "A \"B\"\n");
	CU_ASSERT(first["cleared_at"].is_null());
}

void a_notify_without_document_is_a_json_line_too()
{
	Notification n;
	n.received = now;
	n.subscribed = "sip:tech1@home.example";
	n.subscription_state = "terminated";
	n.reason = "timeout";
	const auto json = nlohmann::json::parse(json_of(n));
	CU_ASSERT(json["state"].is_null() && json["version"].is_null() && json["alerts"].empty());
	BMD_EQUAL(json["reason"].get<std::string>(), "timeout");
	const auto event = nlohmann::json::parse(
			json_of(Event{now, "refused", "sip:a", 403, "Forbidden", {}, {}, ""}));
	BMD_EQUAL(event["event"].get<std::string>(), "refused");
	BMD_EQUAL(event["status"].get<int>(), 403);
}

CU_TestInfo cases[] = {BMD_CASE(full_replaces_and_partial_merges),
		BMD_CASE(a_partial_document_after_a_gap_is_shown_and_told),
		BMD_CASE(a_subscription_must_begin_with_a_full_document),
		BMD_CASE(a_version_that_is_not_above_the_last_is_ignored),
		BMD_CASE(the_highest_version_is_not_followed_by_zero),
		BMD_CASE(alerts_of_a_paged_state_are_cleared_only_when_all_pages_are_there),
		BMD_CASE(an_older_revision_changes_nothing),
		BMD_CASE(the_most_urgent_alert_comes_first_then_the_oldest),
		BMD_CASE(an_alert_line_says_everything_the_technician_needs),
		BMD_CASE(an_alert_without_value_limit_and_reading_is_told_without),
		BMD_CASE(an_alert_line_says_what_people_made_of_it),
		BMD_CASE(a_storm_is_told_in_words_with_its_count_and_its_devices),
		BMD_CASE(a_change_is_named_and_a_call_to_act_is_not_taken_for_an_answer),
		BMD_CASE(a_suppressed_alert_stands_below_all_others), BMD_CASE(a_json_line_has_every_field),
		BMD_CASE(a_notify_without_document_is_a_json_line_too), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo watch_suite;
const CU_SuiteInfo watch_suite = BMD_SUITE("watch", cases);
