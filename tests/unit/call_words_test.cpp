/// @file call_words_test.cpp  Unit tests for call_words.hpp of bmd_reach.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "call_words.hpp"

#include <cstring>

#include "bmd/alert_text.hpp"
#include "suites.hpp"

namespace {

using bmd::reach::CallTold;

bmd_alert_view alert_view(const char *priority, const char *code)
{
	bmd_alert_view view{};
	std::strcpy(view.priority, priority);
	std::strcpy(view.code, code);
	std::strcpy(view.serial, "OX-1001");
	std::strcpy(view.metric, "SpO2");
	std::strcpy(view.state, "active");
	std::strcpy(view.response, "escalated");
	std::strcpy(view.suppressed, "none");
	return view;
}

CallTold told(const char *priority, const char *code)
{
	return {alert_view(priority, code), "HIGH SpO2 84 % low, OX-1001",
			"HIGH SpO2 84 % low\nbedroom"};
}

void the_headers_say_priority_what_and_code()
{
	const auto words = bmd::reach::words_of_call({told("high", "DJMY3")}, 0);
	BMD_EQUAL(words.display, "\"HIGH OX-1001 SpO2\"");
	BMD_EQUAL(words.headers,
			"Subject: HIGH SpO2 84 % low, OX-1001, code DJMY3\r\nPriority: emergency\r\n"
			"Alert-Info: <urn:alert:priority:high>\r\n");
	BMD_EQUAL(words.text, "HIGH SpO2 84 % low\nbedroom");
	const auto low = bmd::reach::words_of_call({told("low", "AAAAA")}, 0);
	CU_ASSERT(
			low.headers.ends_with("Priority: normal\r\nAlert-Info: <urn:alert:priority:low>\r\n"));
	const auto medium = bmd::reach::words_of_call({told("medium", "AAAAA")}, 0);
	CU_ASSERT(medium.headers.ends_with("\r\nPriority: urgent\r\n"));
}

void a_silent_call_says_how_urgent_it_is_and_nothing_else()
{
	const auto words = bmd::reach::words_of_silent_call(bmd::Priority::high);
	BMD_EQUAL(words.display, "\"HIGH alert\"");
	BMD_EQUAL(words.headers, "Priority: emergency\r\nAlert-Info: <urn:alert:priority:high>\r\n");
	BMD_EQUAL(words.text, "There is an alert for you. What it is of is sent encrypted only: look "
						  "at your terminal.");
}

void others_are_told_in_a_line_each_and_counted()
{
	const auto words = bmd::reach::words_of_call({told("high", "AAAAA"), told("low", "CCCCC")}, 7);
	CU_ASSERT(words.headers.starts_with(
			"Subject: HIGH SpO2 84 % low, OX-1001, code AAAAA; and 8 more\r\n"));
	BMD_EQUAL(words.text,
			"HIGH SpO2 84 % low\nbedroom\nHIGH SpO2 84 % low, OX-1001, code CCCCC\nand 7 more");
}

void the_text_never_exceeds_that_of_a_message()
{
	for(std::size_t size = 1200; size < 1400; ++size) {
		std::vector<CallTold> alerts(12, told("high", "AAAAA"));
		alerts.front().text = std::string(size - 2, 'x') + "\303\274";
		const auto words = bmd::reach::words_of_call(alerts, 5);
		CU_ASSERT(words.text.size() <= bmd::most_message);
		CU_ASSERT(static_cast<unsigned char>(words.text.back()) != 0xc3);
	}
}

void a_device_cannot_forge_headers()
{
	CallTold evil = told("high", "AAAAA");
	evil.line = "x\r\nContact: <sip:evil>" + std::string(400, 'y');
	std::strcpy(evil.alert.serial, "\"\r\nVia: x");
	const auto words = bmd::reach::words_of_call({evil}, 0);
	BMD_EQUAL(words.display, "\"HIGH \\\" Via: x SpO2\"");
	CU_ASSERT(words.headers.starts_with("Subject: x Contact: <sip:evil>yyy"));
	CU_ASSERT(words.headers.find("y, code AAAAA\r\nPriority") != std::string::npos);
	CU_ASSERT(words.headers.size() < 400);
}

void who_has_answered_is_not_called()
{
	bmd_alert_view view = alert_view("high", "AAAAA");
	CU_ASSERT(bmd::reach::still_waits(view, "carol"));
	for(const char *response : {"accepted", "acknowledged"}) {
		std::strcpy(view.response, response);
		CU_ASSERT(!bmd::reach::still_waits(view, "carol"));
	}
	std::strcpy(view.response, "rejected");
	std::strcpy(view.answered_by, "carol");
	CU_ASSERT(!bmd::reach::still_waits(view, "carol"));
	CU_ASSERT(bmd::reach::still_waits(view, "dave"));
}

void what_rests_or_is_over_calls_nobody()
{
	bmd_alert_view view = alert_view("high", "AAAAA");
	std::strcpy(view.state, "latched");
	CU_ASSERT(bmd::reach::still_waits(view, "carol"));
	std::strcpy(view.state, "cleared");
	CU_ASSERT(!bmd::reach::still_waits(view, "carol"));
	view = alert_view("high", "AAAAA");
	std::strcpy(view.silenced_until, "2026-01-01T00:00:00Z");
	CU_ASSERT(!bmd::reach::still_waits(view, "carol"));
	view = alert_view("high", "AAAAA");
	std::strcpy(view.suppressed, "maintenance");
	CU_ASSERT(!bmd::reach::still_waits(view, "carol"));
}

CU_TestInfo cases[] = {BMD_CASE(the_headers_say_priority_what_and_code),
		BMD_CASE(a_silent_call_says_how_urgent_it_is_and_nothing_else),
		BMD_CASE(others_are_told_in_a_line_each_and_counted),
		BMD_CASE(the_text_never_exceeds_that_of_a_message), BMD_CASE(a_device_cannot_forge_headers),
		BMD_CASE(who_has_answered_is_not_called), BMD_CASE(what_rests_or_is_over_calls_nobody),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo call_words_suite;
const CU_SuiteInfo call_words_suite = BMD_SUITE("call_words", cases);
