/// @file console_test.cpp  Unit tests for the keys, the commands and the screen of bmd-watch.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "console.hpp"

#include <algorithm>
#include <tuple>

#include "screen.hpp"
#include "suites.hpp"
#include "tsv.hpp"
#include "watch_output.hpp"

namespace {

using namespace bmd::watch;
using bmd::AlertView;

constexpr bmd::TimeUs now = 1'795'230'000'123'456;

AlertView alert(const std::string &id, const std::string &code)
{
	AlertView view;
	view.id = id;
	view.code = code;
	view.serial = "OX-" + id;
	view.metric = "SpO2";
	view.value = 81;
	view.limit = 90;
	view.unit = "%";
	view.patient_name = "Zo\xC3\xAB Example";
	view.onset_at = now;
	return view;
}

std::string shown(const std::vector<Command> &commands)
{
	std::string out;
	for(const Command &command : commands) {
		out += out.empty() ? "" : ", ";
		out += command.kind == Command::Kind::quit ? "quit" : command.control.action;
		for(const std::string &argument : command.control.arguments)
			out += ' ' + argument;
	}
	return out;
}

Console two_alerts()
{
	Console console;
	console.show({alert("a", "AC347"), alert("b", "K7FQP")}, now - 60 * bmd::second_us);
	return console;
}

void a_key_answers_the_chosen_alert()
{
	for(const auto &[keys, commands] : std::vector<std::pair<std::string, std::string>>{
				{"1a", "accept AC347"}, {"2r", "reject K7FQP"}, {"\x1B[Bk", "acknowledge AC347"},
				{"\x1B[B\x1B[Bs", "silence K7FQP 60"}, {"\x1B[A\x1BOAa", "accept AC347"},
				{"/k7fqpa", "accept K7FQP"},
				{"/k7x\x7F"
				 "fqpa",
						"accept K7FQP"},
				{"1dt", "resolve AC347 actionable"}, {"1df", "resolve AC347 false"},
				{"1d\x1B"
				 "t",
						""},
				{"1d2", ""}, {"q", "quit"}, {"\x04", "quit"},
				{"1a2a", "accept AC347, accept K7FQP"}, {"1\x1B[5~a", "accept AC347"},
				{"1\x1B[Ca", "accept AC347"}, {"1z", ""}, {"1A", ""}}) {
		Console console = two_alerts();
		BMD_EQUAL(keys + ": " + shown(console.press(keys, now)), keys + ": " + commands);
	}
}

void escape_leaves_a_question()
{
	Console console = two_alerts();
	BMD_EQUAL(shown(console.press("1d", now)), "");
	BMD_EQUAL(shown(console.press("\x1B", now)), "");
	BMD_EQUAL(shown(console.press("t", now)), "");
	BMD_EQUAL(shown(console.press("a", now)), "accept AC347");
}

void nothing_is_answered_before_an_alert_is_chosen()
{
	for(const char *keys : {"a", "r", "k", "s", "d", "3a", "/AAAAAa", "/zzzzza"}) {
		Console console = two_alerts();
		BMD_EQUAL(shown(console.press(keys, now)), "");
		CU_ASSERT(!console.prompt().empty());
	}
}

void the_choice_stays_with_its_alert_and_goes_with_it()
{
	Console console = two_alerts();
	BMD_EQUAL(shown(console.press("2", now)), "");
	console.show({alert("b", "K7FQP"), alert("c", "AAAAC"), alert("a", "AC347")},
			now - 60 * bmd::second_us);
	BMD_EQUAL(shown(console.press("a", now)), "accept K7FQP");
	BMD_EQUAL(shown(console.press("d", now)), "");
	console.show({alert("c", "AAAAC"), alert("a", "AC347")}, now - 60 * bmd::second_us);
	BMD_EQUAL(shown(console.press("t", now)), "");
	BMD_EQUAL(shown(console.press("a", now)), "");
	console.show({alert("b", "K7FQP")}, now - 60 * bmd::second_us);
	BMD_EQUAL(shown(console.press("a", now)), "");
}

void an_alert_that_ends_while_a_code_is_typed_makes_no_command_of_its_letters()
{
	for(const char *rest : {"3aq", "3AQ"}) {
		Console console;
		const std::vector<AlertView> four{
				alert("a", "AC347"), alert("b", "K73AQ"), alert("c", "AAAAC"), alert("d", "AAAAD")};
		console.show(four, now - 60 * bmd::second_us);
		BMD_EQUAL(shown(console.press("1/k7", now)), "");
		console.show({four[1], four[2], four[3]}, now - 60 * bmd::second_us);
		BMD_EQUAL(shown(console.press(rest, now)), "");
		BMD_EQUAL(shown(console.press("a", now)), "accept K73AQ");
	}
}

void what_slipped_under_a_digit_is_not_answered_before_it_can_be_seen()
{
	constexpr auto ms = bmd::second_us / 1000;
	for(const auto &[changed, pressed, sent] :
			std::vector<std::tuple<long, long, std::string>>{{200, 0, ""}, {900, 100, ""},
					{900, 600, ""}, {200, 800, "accept AAAAC"}, {1100, 0, "accept AAAAC"}}) {
		for(const std::string key : {"a", "dt"}) {
			Console console = two_alerts();
			console.show({alert("c", "AAAAC"), alert("a", "AC347")}, now - changed * ms);
			BMD_EQUAL(shown(console.press("1", now)), "");
			const std::string wanted =
					key == "a" || sent.empty() ? sent : "resolve AAAAC actionable";
			BMD_EQUAL(shown(console.press(key, now + pressed * ms)), wanted);
			CU_ASSERT(key != "a" || console.prompt().empty() == !sent.empty());
		}
	}
	Console console = two_alerts(); // the arrows show what they choose
	console.show({alert("c", "AAAAC"), alert("a", "AC347")}, now);
	BMD_EQUAL(shown(console.press("\x1B[Ba", now)), "accept AAAAC");
	console.show({alert("c", "AAAAC"), alert("b", "K7FQP")}, now); // line 1 is what it was
	BMD_EQUAL(shown(console.press("2", now)), "");
	BMD_EQUAL(shown(console.press("a", now)), "");
}

void every_row_of_command_cases_holds()
{
	for(const auto &row : bmd_test::read_tsv("command_cases.tsv")) {
		const auto command = parse_command(row.cells[0]);
		std::string got = command ? shown({*command}) : "? " + command.error().reason;
		if(got.starts_with(row.cells[1]))
			got = row.cells[1];
		BMD_EQUAL(row.cells[0] + " -> " + got, row.cells[0] + " -> " + row.cells[1]);
	}
}

std::size_t width_of(const std::string &line)
{
	return static_cast<std::size_t>(std::count_if(line.begin(), line.end(),
			[](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::vector<std::string> lines_of(const std::string &text)
{
	std::vector<std::string> lines{""};
	for(const char c : text)
		if(c == '\n')
			lines.emplace_back();
		else
			lines.back() += c;
	return lines;
}

void the_screen_has_its_size_and_always_shows_the_chosen_alert()
{
	std::vector<AlertView> many;
	for(int i = 0; i < 30; ++i)
		many.push_back(alert(std::to_string(i), "AC" + std::to_string(400 + i)));
	for(const ScreenSize size : {ScreenSize{24, 80}, ScreenSize{10, 40}, ScreenSize{60, 200},
				ScreenSize{4, 10}, ScreenSize{1, 1}}) {
		Console console;
		console.show(many, now - 60 * bmd::second_us);
		for(int i = 0; i < 20; ++i)
			(void)console.press("\x1B[B", now);
		const auto lines = lines_of(screen_of(
				{
						"sip:tech1@home.example",
						{{"sip:tech1@home.example", true}},
						0,
						false,
						now,
						"said",
				},
				console, size, false));
		BMD_EQUAL(lines.size(), size.rows);
		for(const std::string &line : lines)
			CU_ASSERT(width_of(line) <= size.columns + 1);
		const bool marked = std::any_of(lines.begin(), lines.end(),
				[](const std::string &line) { return line.starts_with('>'); });
		CU_ASSERT(marked == (size.rows >= 6));
	}
}

void the_screen_says_what_is_open_who_has_it_and_that_the_server_is_away()
{
	AlertView taken = alert("b", "K7FQP");
	taken.response = bmd::Response::accepted;
	taken.answered_by = "tech2";
	taken.metric = "evil\x1B[2J\n";
	Console console;
	console.show({alert("a", "AC347"), taken}, now - 60 * bmd::second_us);
	const std::string text = screen_of(
			{"sip:tech1@home.example", {}, 0, false, now, "what was said"}, console, {}, false);
	for(const char *part : {"NOT CONNECTED", "2 open alerts", "1 AC347 HIGH  SpO2 81 % below limit",
				"accepted by tech2", "what was said", "a accept", "Zo\xC3\xAB Example"})
		CU_ASSERT(text.find(part) != std::string::npos);
	CU_ASSERT(text.find('\x1B') == std::string::npos);
	CU_ASSERT(screen_of({}, console, {}, true).find("\x1B[1;31m") != std::string::npos);
}

void the_screen_says_which_feed_is_missing_and_since_when_the_server_is_silent()
{
	Console console;
	ScreenState state{"me", {{"sip:grp.a@x", true}, {"sip:me@x", true}}, 0, false, now, ""};
	CU_ASSERT(screen_of(state, console, {}, false).starts_with("me  no open alert"));
	state.links["sip:grp.a@x"] = false;
	CU_ASSERT(screen_of(state, console, {}, false)
					  .starts_with("me  NOT CONNECTED: sip:grp.a@x  no open alert"));
	state.left_out["sip:me@x"] = 3;
	CU_ASSERT(screen_of(state, console, {}, false).find("no open alert, FILTERED: 3 left out")
			  != std::string::npos);
	state.left_out.clear();
	state.deaf_since = now;
	CU_ASSERT(screen_of(state, console, {}, false)
					  .starts_with("me  NO ANSWER FROM THE SERVER since 03:00:00Z  no open alert"));
}

void the_bell_rings_for_whatever_calls_for_somebody()
{
	AlertView quiet = alert("a", "AC347");
	quiet.priority = bmd::Priority::medium;
	AlertView high = alert("a", "AC347");
	high.priority = bmd::Priority::high;
	AlertView suppressed = high;
	suppressed.suppressed = bmd::Suppression::maintenance;
	AlertView latched = high;
	latched.state = bmd::AlertState::latched;
	AlertView accepted = high;
	accepted.response = bmd::Response::accepted;
	AlertView rejected = high;
	rejected.response = bmd::Response::rejected;
	const auto changed = [](const AlertView &before, const AlertView &after) {
		return rings({ChangeKind::changed, after, before});
	};
	CU_ASSERT(rings({ChangeKind::raised, high, {}}));
	CU_ASSERT(!rings({ChangeKind::raised, quiet, {}}));
	CU_ASSERT(!rings({ChangeKind::raised, suppressed, {}}));
	CU_ASSERT(!rings({ChangeKind::cleared, high, {}}));
	CU_ASSERT(changed(quiet, high));
	CU_ASSERT(changed(suppressed, high));
	CU_ASSERT(changed(latched, high));
	CU_ASSERT(changed(accepted, rejected));
	CU_ASSERT(!changed(high, quiet));
	CU_ASSERT(!changed(high, latched));
	CU_ASSERT(!changed(high, suppressed));
	CU_ASSERT(!changed(high, accepted));
	CU_ASSERT(!changed(high, high));
}

void what_became_of_an_answer_is_one_line()
{
	BMD_EQUAL(text_of(Answered{now, "accept", "K7FQP", 200, "200 OK", ""}),
			"03:00:00Z accept K7FQP: 200 OK");
	BMD_EQUAL(text_of(Answered{now, "accept", "K7FQP", 409, "409 Conflict", "accepted by\n x"}),
			"03:00:00Z accept K7FQP: 409 Conflict, accepted by  x");
	BMD_EQUAL(text_of(Answered{now, "accept", "K7FQP", 0, "", "503 x"}),
			"03:00:00Z accept K7FQP: NOT DONE, 503 x");
	BMD_EQUAL(text_of(Answered{now, "accept", "K7FQP", 0, "", "no result", true}),
			"03:00:00Z accept K7FQP: UNKNOWN, no result");
	CU_ASSERT(json_of(Answered{now, "accept", "K7FQP", 200, "200 OK", ""})
					  .starts_with("{\"event\":\"answer\""));
}

CU_TestInfo cases[] = {BMD_CASE(a_key_answers_the_chosen_alert), BMD_CASE(escape_leaves_a_question),
		BMD_CASE(nothing_is_answered_before_an_alert_is_chosen),
		BMD_CASE(the_choice_stays_with_its_alert_and_goes_with_it),
		BMD_CASE(an_alert_that_ends_while_a_code_is_typed_makes_no_command_of_its_letters),
		BMD_CASE(what_slipped_under_a_digit_is_not_answered_before_it_can_be_seen),
		BMD_CASE(every_row_of_command_cases_holds),
		BMD_CASE(the_screen_has_its_size_and_always_shows_the_chosen_alert),
		BMD_CASE(the_screen_says_what_is_open_who_has_it_and_that_the_server_is_away),
		BMD_CASE(the_screen_says_which_feed_is_missing_and_since_when_the_server_is_silent),
		BMD_CASE(the_bell_rings_for_whatever_calls_for_somebody),
		BMD_CASE(what_became_of_an_answer_is_one_line), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo console_suite;
const CU_SuiteInfo console_suite = BMD_SUITE("console", cases);
