/// @file watch_winfo_test.cpp  Unit tests of what bmd-watch makes of watcher information.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <nlohmann/json.hpp>

#include "suites.hpp"
#include "watch_output.hpp"
#include "watchers_state.hpp"

namespace {

using namespace bmd::watch;
using bmd::WatcherEntry;
using bmd::WatcherEvent;
using bmd::WatcherInfo;
using bmd::WatcherStatus;

constexpr bmd::TimeUs now = 1'795'230'000'123'456; // 10:20:00 UTC
const std::string resource = "sip:dev.OX-1@home.example";

WatcherEntry entry(const std::string &id, WatcherStatus status, WatcherEvent event)
{
	return {id, "sip:tech3@home.example", status, event, 65};
}

WatcherInfo info(std::uint32_t version, bool full, std::vector<WatcherEntry> watchers)
{
	return {version, full, {{resource, std::move(watchers)}}};
}

const WatcherEntry pending = entry("a", WatcherStatus::pending, WatcherEvent::subscribe);
const WatcherEntry active = entry("a", WatcherStatus::active, WatcherEvent::approved);
const WatcherEntry over = entry("a", WatcherStatus::terminated, WatcherEvent::rejected);

void only_what_changed_is_news()
{
	WatchersState state;
	BMD_EQUAL(state.take(info(0, true, {pending})).changes.size(), 1U);
	BMD_EQUAL(state.take(info(1, true, {pending})).changes.size(), 0U);
	BMD_EQUAL(state.take(info(2, false, {active})).changes.size(), 1U);
	BMD_EQUAL(state.take(info(3, false, {over})).changes.size(), 1U);
	BMD_EQUAL(
			state.take(info(4, false, {pending})).changes.size(), 1U); // what is over is forgotten
}

void a_gap_asks_for_full_state_and_what_is_old_is_ignored()
{
	WatchersState state;
	CU_ASSERT(state.take(info(0, false, {})).verdict == Verdict::gap);
	CU_ASSERT(state.take(info(0, true, {})).verdict == Verdict::taken);
	CU_ASSERT(state.take(info(0, true, {pending})).verdict == Verdict::old);
	CU_ASSERT(state.take(info(2, false, {pending})).verdict == Verdict::gap);
	CU_ASSERT(state.take(info(3, true, {pending})).verdict == Verdict::taken);
	CU_ASSERT(state.take(info(100'003, true, {})).verdict == Verdict::taken);
	state.restart();
	CU_ASSERT(state.take(info(0, true, {})).verdict == Verdict::taken);
}

Notification told(const WatcherEntry &watcher)
{
	Notification n;
	n.received = now;
	n.subscribed = "watchers of sip:tech1@home.example";
	n.watchers = info(3, false, {watcher});
	n.news.changes.push_back({resource, watcher});
	return n;
}

void a_line_says_who_waits_for_what_since_when_and_what_to_type()
{
	const std::string line = text_of(told(pending));
	CU_ASSERT(line.starts_with("WAITS "));
	for(const char *part : {"sip:tech3@home.example waits for sip:dev.OX-1@home.example since ",
				"(pending, subscribe): approve tech3 dev.OX-1, or refuse tech3 dev.OX-1\n"})
		BMD_EQUAL(line.find(part) != std::string::npos ? part : line, std::string(part));
	const std::string ended = text_of(told(over));
	CU_ASSERT(
			ended.starts_with("WATCH ") && ended.find("terminated, rejected") != std::string::npos);
}

void what_is_on_the_wire_does_not_command_the_terminal()
{
	WatcherEntry evil = pending;
	evil.uri = "sip:\x1B[2Jx@home.example";
	CU_ASSERT(text_of(told(evil)).find('\x1B') == std::string::npos);
}

void a_json_line_lists_the_watchers()
{
	const auto json = nlohmann::json::parse(json_of(told(pending)));
	BMD_EQUAL(json["state"].get<std::string>(), "partial");
	BMD_EQUAL(json["version"].get<int>(), 3);
	const auto &first = json["watchers"][0];
	BMD_EQUAL(first["resource"].get<std::string>(), resource);
	BMD_EQUAL(first["status"].get<std::string>(), "pending");
	BMD_EQUAL(first["event"].get<std::string>(), "subscribe");
	BMD_EQUAL(first["subscribed_s"].get<int>(), 65);
}

CU_TestInfo cases[] = {BMD_CASE(only_what_changed_is_news),
		BMD_CASE(a_gap_asks_for_full_state_and_what_is_old_is_ignored),
		BMD_CASE(a_line_says_who_waits_for_what_since_when_and_what_to_type),
		BMD_CASE(what_is_on_the_wire_does_not_command_the_terminal),
		BMD_CASE(a_json_line_lists_the_watchers), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo watch_winfo_suite;
const CU_SuiteInfo watch_winfo_suite = BMD_SUITE("watch_winfo", cases);
