/// @file response_test.cpp  Unit tests for bmd/response.hpp and bmd/code.hpp; every state with
/// every answer stands in response_cases.tsv. SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/response.hpp"

#include <cstring>
#include <set>
#include <vector>

#include "bmd/code.hpp"
#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::Act;
using bmd::AlertState;
using bmd::Answer;
using bmd::Circumstances;
using bmd::Response;
using bmd::ResponseState;

constexpr bmd::TimeUs now = 1'795'230'000'000'000;

std::vector<std::string> split(const std::string &text)
{
	std::vector<std::string> words{""};
	for(const char c : text)
		if(c == ':')
			words.emplace_back();
		else
			words.back() += c;
	return words;
}

void put_name(ResponseState &state, const std::string &name)
{
	std::memcpy(state.by, name.c_str(), name.size() + 1);
}

ResponseState state_of(const std::string &cell)
{
	const auto words = split(cell);
	ResponseState state;
	state.response = bmd::parse_response(words[0]).value_or(Response::none);
	if(state.response == Response::escalated)
		state.step = static_cast<std::uint8_t>(std::stoi(words[1]));
	else if(words.size() > 1)
		put_name(state, words[1]);
	if(words.size() > 2)
		state.outcome = bmd::parse_outcome(words[2]).value_or(bmd::Outcome::none);
	return state;
}

Answer answer_of(const std::vector<std::string> &words)
{
	Answer answer;
	std::string act = words[0];
	answer.any_persons = act.ends_with('!');
	if(answer.any_persons)
		act.pop_back();
	answer.act = bmd::parse_act(act).value_or(Act::deliver);
	answer.at = now;
	if(answer.act == Act::escalate)
		answer.step = static_cast<std::uint8_t>(std::stoi(words[1]));
	else if(words.size() > 1)
		answer.who = words[1];
	if(answer.act == Act::silence)
		answer.until = now + std::stoi(words[2]) * bmd::second_us;
	if(answer.act == Act::resolve)
		answer.outcome = bmd::parse_outcome(words[2]).value_or(bmd::Outcome::none);
	return answer;
}

Circumstances circumstances_of(const std::string &condition)
{
	Circumstances circumstances;
	circumstances.priority = bmd::Priority::medium;
	circumstances.longest_silence = 60 * bmd::second_us;
	circumstances.closed = condition == "closed";
	circumstances.state = bmd::parse_state(condition).value_or(AlertState::cleared);
	return circumstances;
}

std::string describe(const bmd::Result<bmd::Transition> &done)
{
	if(!done)
		return (done.error().code == bmd::Errc::malformed ? "malformed: " : "refused: ")
			   + done.error().reason;
	if(done->event.empty())
		return "same";
	const ResponseState &after = done->state;
	std::string text = std::string(done->event) + " -> " + std::string(to_string(after.response));
	if(after.response == Response::escalated)
		text += ":" + std::to_string(after.step);
	else if(after.by[0] != '\0')
		text += ":" + std::string(after.by);
	if(after.outcome != bmd::Outcome::none)
		text += "=" + std::string(to_string(after.outcome));
	return text + (done->closes ? " closes" : "");
}

void every_state_with_every_answer_is_as_the_table_says()
{
	for(const bmd_test::Row &row : bmd_test::read_tsv("response_cases.tsv")) {
		if(row.cells.size() != 4) {
			BMD_EQUAL(row.cells.size(), 4U);
			continue;
		}
		const auto words = split(row.cells[2]);
		const auto done =
				apply(state_of(row.cells[1]), circumstances_of(row.cells[0]), answer_of(words));
		const std::string name = row.cells[0] + " " + row.cells[1] + " " + row.cells[2] + ": ";
		BMD_EQUAL(name + describe(done), name + row.cells[3]);
	}
}

Answer answer_by(Act act, std::string_view who, bmd::TimeUs at = now)
{
	Answer answer;
	answer.act = act;
	answer.who = who;
	answer.at = at;
	return answer;
}

Answer escalate_to(std::uint8_t step)
{
	Answer answer = answer_by(Act::escalate, {});
	answer.step = step;
	return answer;
}

std::string tried(const ResponseState &state, const Answer &answer)
{
	return describe(apply(state, circumstances_of("active"), answer));
}

void an_answer_that_is_wrong_in_itself_says_what_is_missing()
{
	const ResponseState state;
	BMD_EQUAL(tried(state, answer_by(Act::accept, {})), "malformed: nobody is named who answers");
	BMD_EQUAL(tried(state, answer_by(Act::accept, "01234567890123456789012345678901")),
			"malformed: the name of who answers is longer than 31 bytes");
	BMD_EQUAL(tried(state, answer_by(Act::resolve, "ann")),
			"malformed: resolve needs an outcome: actionable or false");
	BMD_EQUAL(tried(state, escalate_to(0)), "malformed: the steps of an escalation count from 1");
}

void a_silence_is_bounded_ends_early_and_is_not_asked_for_twice()
{
	ResponseState state;
	state.silenced_until = now + 30 * bmd::second_us;
	Answer answer = answer_by(Act::silence, "ann");
	answer.until = state.silenced_until;
	BMD_EQUAL(tried(state, answer), "same");
	answer.until += 5 * bmd::second_us;
	const auto longer = apply(state, circumstances_of("active"), answer);
	CU_ASSERT(longer.ok() && longer->state.silenced_until == answer.until);
	answer.until = now + 10 * bmd::second_us;
	const auto shorter = apply(state, circumstances_of("active"), answer);
	CU_ASSERT(shorter.ok() && shorter->state.silenced_until == answer.until);
	answer.until = now;
	const auto over = apply(state, circumstances_of("active"), answer);
	CU_ASSERT(over.ok() && over->event == "silence-over" && over->state.silenced_until == 0);
	BMD_EQUAL(tried(ResponseState{}, answer), "same");
}

void nobody_is_called_for_what_is_silenced_or_suppressed()
{
	const Answer escalate = escalate_to(1);
	ResponseState state;
	state.silenced_until = now + bmd::second_us;
	BMD_EQUAL(tried(state, escalate),
			"refused: silenced until " + bmd::format_time(state.silenced_until));
	state.silenced_until = now;
	BMD_EQUAL(tried(state, escalate), "escalated -> escalated:1");
	state.suppressed = bmd::Suppression::inhibition;
	BMD_EQUAL(tried(state, escalate), "refused: suppressed: inhibition");
}

void the_time_to_answer_is_that_of_the_first_who_took_it()
{
	const auto active = circumstances_of("active");
	const auto accepted = apply(ResponseState{}, active, answer_by(Act::accept, "ann"));
	const auto rejected = apply(accepted->state, active, answer_by(Act::reject, "ann", now + 1));
	const auto again = apply(rejected->state, active, answer_by(Act::acknowledge, "ben", now + 2));
	BMD_EQUAL(again->state.taken_at, now);
	BMD_EQUAL(again->state.at, now + 2);
}

void who_accepted_keeps_an_alert_that_comes_back_and_others_begin_anew()
{
	ResponseState state = state_of("accepted:ann");
	state.at = now;
	bmd::come_back(state, now);
	CU_ASSERT(state.response == Response::accepted && std::string(state.by) == "ann");
	state = state_of("accepted:ann:false");
	state.at = now - bmd::longest_acceptance;
	bmd::come_back(state, now);
	CU_ASSERT(state.response == Response::accepted && state.outcome == bmd::Outcome::none);
	bmd::come_back(state, now + 1);
	CU_ASSERT(state.response == Response::none);
	state = state_of("rejected:ann");
	bmd::come_back(state, now);
	CU_ASSERT(state.response == Response::none && state.by[0] == '\0');
	state = state_of("escalated:3");
	bmd::come_back(state, now);
	CU_ASSERT(state.response == Response::none && state.step == 0);
}

void what_gets_worse_is_asked_again_of_who_had_dealt_with_less()
{
	ResponseState state = state_of("acknowledged:ann");
	state.silenced_until = now;
	state.outcome = bmd::Outcome::false_alarm;
	bmd::worsen(state, now);
	CU_ASSERT(state.response == Response::none && state.silenced_until == 0);
	CU_ASSERT(state.outcome == bmd::Outcome::none);
	state = state_of("accepted:ann");
	bmd::worsen(state, now);
	CU_ASSERT(state.response == Response::accepted);
}

void every_code_is_five_characters_and_reads_back()
{
	std::set<std::string> seen;
	for(std::uint32_t number = 1; number <= bmd::codes; number += 997) {
		const std::string text = bmd::code_text(number);
		CU_ASSERT(text.size() == bmd::code_length && seen.insert(text).second);
		BMD_EQUAL(bmd::parse_code(text), number);
	}
	BMD_EQUAL(bmd::parse_code(bmd::code_text(bmd::codes)), bmd::codes);
	CU_ASSERT(bmd::code_text(0).empty() && bmd::code_text(bmd::codes + 1).empty());
	BMD_EQUAL(bmd::parse_code("ac347"), bmd::parse_code("AC347"));
	for(const char *text : {"", "AC34", "AC3477", "AC34O", "AC34I", "AC340", "AC3 7"})
		BMD_EQUAL(bmd::parse_code(text), 0U);
}

CU_TestInfo cases[] = {BMD_CASE(every_state_with_every_answer_is_as_the_table_says),
		BMD_CASE(an_answer_that_is_wrong_in_itself_says_what_is_missing),
		BMD_CASE(a_silence_is_bounded_ends_early_and_is_not_asked_for_twice),
		BMD_CASE(nobody_is_called_for_what_is_silenced_or_suppressed),
		BMD_CASE(the_time_to_answer_is_that_of_the_first_who_took_it),
		BMD_CASE(who_accepted_keeps_an_alert_that_comes_back_and_others_begin_anew),
		BMD_CASE(what_gets_worse_is_asked_again_of_who_had_dealt_with_less),
		BMD_CASE(every_code_is_five_characters_and_reads_back), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo response_suite;
const CU_SuiteInfo response_suite = BMD_SUITE("response", cases);
