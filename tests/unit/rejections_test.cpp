/// @file rejections_test.cpp  Unit tests of what rejections make of an escalation.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "rejections.hpp"

#include <algorithm>
#include <string>

#include "answer.hpp"
#include "hospital.hpp"

namespace {

using namespace bmd_test;
using bmd::Act;

int answer(Index alert, Act act, std::string_view who)
{
	const std::string id = bmd::to_string(store()->alerts[alert].id);
	bmd::AnswerTo to;
	to.alert = id;
	to.answer.act = act;
	to.answer.who = who;
	to.through = "test";
	to.entitled = true;
	return bmd::answer_alert(to).status;
}

int reject(Index alert, std::string_view who)
{
	return answer(alert, Act::reject, who);
}

// Whom the last row of each step names, "2:tech1,tech2 3:" and so on, since the last call.
std::string rows()
{
	std::string text;
	std::string feeds;
	std::uint64_t at = store()->escalations.tail();
	while(const void *slot = store()->escalations.next(at)) {
		const auto *row = static_cast<const bmd::EscalationRow *>(slot);
		if(row->feed[0] != '\0') {
			feeds += (feeds.empty() ? "" : ",") + std::string(row->feed);
			continue;
		}
		text += (text.empty() ? "" : " ") + std::to_string(row->number) + ":" + feeds;
		feeds.clear();
	}
	store()->escalations.release(at);
	return text;
}

// The rows of the steps that begin within so long.
std::string rows_within(Hospital &hospital, int milliseconds)
{
	std::string text;
	const TimeUs until = bmd::mono_now() + milliseconds * TimeUs{1000};
	do {
		hospital.escalator.round(5);
		const std::string more = rows();
		text += (text.empty() || more.empty() ? "" : " ") + more;
	} while(bmd::mono_now() < until);
	return text;
}

// Those of the next steps, which come within some seconds.
std::string next_rows(Hospital &hospital, std::size_t steps)
{
	std::string text;
	const TimeUs until = bmd::mono_now() + 10 * second_us;
	while(std::ranges::count(text, ':') < static_cast<std::ptrdiff_t>(steps)
			&& bmd::mono_now() < until) {
		const std::string more = rows_within(hospital, 5);
		text += (text.empty() || more.empty() ? "" : " ") + more;
	}
	return text;
}

void a_rejection_counts_once_and_gives_the_next_people_their_time()
{
	Hospital hospital;
	hospital.policy({{0, Whom::responsible, {}, bmd::how_subscribe}, to_person(hour, "tech1"),
			to_person(2 * hour, "tech2"), to_person(3 * hour, "tech3")});
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(hospital.begun(alert, 1), 1U);
	for(int n = 0; n < 5; ++n) {
		BMD_EQUAL(reject(alert, "tech0"), 200);
		hospital.run(130);
	}
	BMD_EQUAL(store()->escalation[alert].begun, 2U);
	BMD_EQUAL(store()->alerts[alert].revision, 3U); // raised, rejected, escalated
	BMD_EQUAL(reject(alert, "tech5"), 200);         // whom nobody has asked
	hospital.run(250);
	BMD_EQUAL(store()->escalation[alert].begun, 2U);
	BMD_EQUAL(reject(alert, "tech1"), 200);
	BMD_EQUAL(hospital.begun(alert, 3), 3U);
	BMD_EQUAL(reject(alert, "tech1"), 200);
	hospital.run(250);
	BMD_EQUAL(store()->escalation[alert].begun, 3U);
}

void a_rejection_before_the_first_step_waits_for_it()
{
	Hospital hospital;
	hospital.policy({{0, Whom::responsible, {}, bmd::how_subscribe}, to_person(hour, "tech1"),
			to_person(2 * hour, "tech2")});
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(reject(alert, "tech0"), 200);
	BMD_EQUAL(hospital.begun(alert, 2), 2U);
	hospital.run(300);
	BMD_EQUAL(store()->escalation[alert].begun, 2U);
}

void who_rejected_is_spared_until_all_have()
{
	Hospital hospital;
	hospital.policy(
			{to_person(0, "tech1"), {0, Whom::team, "all", bmd::how_message}}, 3 * second_us);
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(next_rows(hospital, 2), "1:tech1 2:tech1,tech2,tech3,tech4,tech5,tech6,tech7,tech8");
	for(const char *who : {"tech2", "tech3", "tech8"})
		BMD_EQUAL(reject(alert, who), 200);
	BMD_EQUAL(rows_within(hospital, 250), ""); // a repetition is not hastened
	BMD_EQUAL(next_rows(hospital, 1), "3:tech1,tech4,tech5,tech6,tech7");
	for(const char *who : {"tech1", "tech4", "tech5", "tech6", "tech7"})
		BMD_EQUAL(reject(alert, who), 200);
	BMD_EQUAL(next_rows(hospital, 1), "4:tech1,tech2,tech3,tech4,tech5,tech6,tech7,tech8");
	CU_ASSERT(!bmd::has_rejected(alert, "tech2"));
}

void a_step_for_those_alone_who_rejected_goes_on_at_once()
{
	Hospital hospital;
	hospital.policy({{0, Whom::responsible, {}, bmd::how_subscribe}, to_person(hour, "tech0"),
			to_person(2 * hour, "tech1"), to_person(3 * hour, "tech2")});
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(next_rows(hospital, 1), "1:");
	BMD_EQUAL(reject(alert, "tech0"), 200);
	BMD_EQUAL(next_rows(hospital, 2), "2: 3:tech1");
}

void who_is_alone_and_rejects_is_asked_again_when_the_step_repeats()
{
	Hospital hospital;
	hospital.policy({{0, Whom::responsible, {}, bmd::how_subscribe}, to_person(hour, "tech0")});
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(next_rows(hospital, 1), "1:");
	const TimeUs rejected = bmd::mono_now();
	BMD_EQUAL(reject(alert, "tech0"), 200);
	BMD_EQUAL(next_rows(hospital, 1), "2:");
	CU_ASSERT(store()->escalation[alert].due >= rejected + hour);
}

void what_is_handed_back_goes_on_at_once_also_when_all_had_been_called()
{
	Hospital hospital;
	hospital.policy({{0, Whom::team, "all", bmd::how_message}});
	const Index alert = Hospital::raise(0);
	BMD_EQUAL(hospital.begun(alert, 1), 1U);
	BMD_EQUAL(answer(alert, Act::accept, "tech3"), 200);
	hospital.run(200);
	BMD_EQUAL(reject(alert, "tech3"), 200);
	BMD_EQUAL(next_rows(hospital, 1), "2:tech1,tech2,tech4,tech5,tech6,tech7,tech8");
	for(int n = 0; n < 2; ++n) { // not again and again
		BMD_EQUAL(answer(alert, Act::accept, "tech3"), 200);
		BMD_EQUAL(reject(alert, "tech3"), 200);
		BMD_EQUAL(rows_within(hospital, 250), "");
	}
}

void who_rejected_something_less_urgent_is_asked_again()
{
	Hospital hospital;
	hospital.policy({to_person(hour, "tech1")});
	const Index alert = Hospital::raise(0, Priority::low);
	hospital.run(10);
	BMD_EQUAL(reject(alert, "tech0"), 200);
	CU_ASSERT(bmd::has_rejected(alert, "tech0"));
	bmd::change_priority(alert, Priority::high, 1, 1);
	hospital.run(1200);
	CU_ASSERT(!bmd::has_rejected(alert, "tech0"));
}

CU_TestInfo cases[] = {BMD_CASE(a_rejection_counts_once_and_gives_the_next_people_their_time),
		BMD_CASE(a_rejection_before_the_first_step_waits_for_it),
		BMD_CASE(who_rejected_is_spared_until_all_have),
		BMD_CASE(a_step_for_those_alone_who_rejected_goes_on_at_once),
		BMD_CASE(who_is_alone_and_rejects_is_asked_again_when_the_step_repeats),
		BMD_CASE(what_is_handed_back_goes_on_at_once_also_when_all_had_been_called),
		BMD_CASE(who_rejected_something_less_urgent_is_asked_again), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo rejections_suite;
const CU_SuiteInfo rejections_suite = BMD_SUITE("rejections", cases);
