/// @file life_test.cpp  Unit tests of what answers, rules and readings make of open alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <atomic>
#include <chrono>
#include <thread>

#include "bed.hpp"
#include "slots.hpp"
#include "tend.hpp"
#include "windows.hpp"

namespace {

using namespace bmd_test;

void an_answer_waits_until_a_returning_alert_is_whole()
{
	Bed bed;
	Bed::rule(low(90));
	bed.reads(80);
	const Index alert = Bed::alert();
	const std::string code = code_of(alert);
	bed.reads(97);
	BMD_EQUAL(store()->kept_count, 1U);
	std::atomic<int> status{0};
	std::thread other;
	{
		const std::shared_lock<bmd::RwLock> registry(store()->registry_lock);
		const std::lock_guard<bmd::Mutex> stripe(store()->stripe[Bed::device() % bmd::stripes]);
		const bmd::KeptKey key{"D0", bmd::find_metric("SpO2")->id, bmd::Condition::low};
		CU_ASSERT(bmd::take_back(key, 0, 0, Bed::device()) == alert);
		other = std::thread([&] {
			status = answer(code, Act::resolve, "ann", bmd::Outcome::false_alarm).status;
		});
		std::this_thread::sleep_for(std::chrono::milliseconds(100));
		BMD_EQUAL(status.load(), 0);
		BMD_EQUAL(store()->open_count, 1U);
		BMD_EQUAL(store()->kept.head, 0U);
		bmd::keep_slot(alert);
	}
	other.join();
	BMD_EQUAL(status.load(), 200);
	BMD_EQUAL(store()->open_count + store()->kept_count, 0U);
}

void an_outcome_counts_only_with_its_acknowledgement()
{
	Bed bed;
	Bed::rule(low(90));
	bed.reads(80);
	const std::string code = code_of(Bed::alert());
	CU_ASSERT(answer(code, Act::resolve, "ann", bmd::Outcome::false_alarm).status == 200);
	CU_ASSERT(answer(code, Act::accept, "ann").status == 200);
	CU_ASSERT(Bed::rec().response.outcome == bmd::Outcome::none);
	CU_ASSERT(answer(code, Act::resolve, "ann", bmd::Outcome::false_alarm).status == 200);
	CU_ASSERT(Bed::rec().response.response == bmd::Response::acknowledged);
	BMD_EQUAL(bed.told(), "raised resolved accepted resolved");
}

void an_operator_names_a_technician_who_accepts()
{
	Bed bed;
	Bed::rule(low(90));
	bed.reads(80);
	const std::string code = code_of(Bed::alert());
	BMD_EQUAL(answer(code, Act::accept, "crol").reason,
			"crol is no enabled technician: name the person who sees to it");
	BMD_EQUAL(answer(code, Act::accept, "crol").status, 403);
	BMD_EQUAL(answer(code, Act::accept, "ann").status, 200);
}

void an_operator_ends_an_alert_and_the_next_bad_reading_raises_another()
{
	Bed bed;
	Bed::rule(low(90));
	bed.reads(80);
	const Index first = Bed::alert();
	const bmd::Uuid id = store()->alerts[first].id;
	const std::string code = code_of(first);
	BMD_EQUAL(answer(code, Act::end, "opal", {}, "").status, 400);
	BMD_EQUAL(answer(code, Act::end, "opal", {}, "probe taken off for good").status, 200);
	BMD_EQUAL(Bed::alert(), 0U);
	BMD_EQUAL(bed.told(true), "raised// ended/probe taken off for good/opal");
	bed.reads(81);
	CU_ASSERT(Bed::alert() != 0 && Bed::rec().id != id);
}

void nobody_but_an_operator_ends_an_alert_that_holds()
{
	Bed bed;
	Bed::rule(low(90));
	bed.reads(80);
	bmd::AnswerTo to;
	const std::string code = code_of(Bed::alert());
	to.alert = code;
	to.answer.act = Act::end;
	to.answer.who = "ann";
	to.why = "tired";
	BMD_EQUAL(bmd::answer_alert(to).status, 403);
	CU_ASSERT(Bed::alert() != 0);
}

void an_open_alert_follows_the_time_its_rule_gives_for_an_answer()
{
	Bed bed;
	Bed::rule(low(90, Priority::low));
	bed.reads(80);
	BMD_EQUAL(Bed::rec().rises_at, 0);
	bmd::Rule rule = low(90, Priority::low);
	rule.rises_after = 60;
	Bed::rule(rule);
	bmd::judge_again(Bed::device());
	const TimeUs rises = Bed::rec().rises_at;
	CU_ASSERT(rises > bmd::mono_now());
	rule.rises_after = 3600;
	Bed::rule(rule);
	bmd::judge_again(Bed::device());
	BMD_EQUAL(Bed::rec().rises_at, rises + 3540 * second_us);
	rule.rises_after = 0;
	Bed::rule(rule);
	bmd::judge_again(Bed::device());
	BMD_EQUAL(Bed::rec().rises_at, 0);
}

void what_rose_and_cleared_comes_back_as_its_rule_says_and_is_told_once()
{
	Bed bed;
	bmd::Rule rule = low(90, Priority::low);
	rule.rises_after = 3600;
	Bed::rule(rule);
	bed.reads(80);
	Bed::rec().waits_since -= 3600 * second_us;
	store()->tend_at.store(0);
	bmd::tend_alerts();
	CU_ASSERT(Bed::rec().priority == Priority::medium);
	BMD_EQUAL(bed.told(true), "raised// priority/not answered for 3600 s/");
	bed.reads(97);
	bed.reads(80);
	BMD_EQUAL(bed.told(), "cleared reopened");
	CU_ASSERT(Bed::rec().priority == Priority::low && Bed::rec().risen == 0);
	CU_ASSERT(answer(code_of(Bed::alert()), Act::accept, "ann").status == 200);
	Bed::rec().risen = 1;
	bed.reads(97);
	bed.reads(80);
	CU_ASSERT(Bed::rec().priority == Priority::medium);
	BMD_EQUAL(bed.told(), "accepted cleared reopened");
}

void a_value_around_the_second_limit_calls_people_once()
{
	Bed bed;
	bmd::Rule rule = low(90);
	rule.low_low = 80;
	Bed::rule(rule);
	bed.reads(85);
	const std::string code = code_of(Bed::alert());
	for(int n = 0; n < 20; ++n) {
		bed.reads(79.9);
		bed.reads(80.1);
		if(n == 0)
			CU_ASSERT(answer(code, Act::acknowledge, "ann").status == 200);
	}
	BMD_EQUAL(bed.told(), "raised priority acknowledged");
	CU_ASSERT(Bed::rec().response.response == bmd::Response::acknowledged);
	bed.reads(80.1, 30 * second_us);
	BMD_EQUAL(bed.told(true), "priority/the value is back within its second limit/");
	Bed::rule(low(90));
	bed.reads(79);
	BMD_EQUAL(bed.told(), "");
}

void who_suppresses_an_alert_stands_in_its_history_from_the_beginning()
{
	Bed bed;
	Bed::rule(low(90));
	const TimeUs now = bmd::wall_now();
	CU_ASSERT(bmd::set_window("D0", now, now + 60 * second_us, "admin", "new probe")
			  == bmd::WindowSet::done);
	bed.reads(80);
	bed.reads(97);
	bed.reads(80);
	BMD_EQUAL(bed.told(true), "raised/new probe/admin cleared// reopened/new probe/admin");
}

void an_answer_finds_room_in_a_journal_that_is_full_for_others()
{
	Bed bed;
	Bed::rule(low(90));
	bed.reads(80);
	const std::string code = code_of(Bed::alert());
	bmd::AlertRec other = Bed::rec();
	while(bmd::journal_alert(other, "updated", {}))
		++other.revision;
	BMD_EQUAL(answer(code, Act::accept, "ann").status, 200);
	BMD_EQUAL(Bed::rec().journaled, Bed::rec().revision);
}

CU_TestInfo cases[] = {BMD_CASE(an_answer_waits_until_a_returning_alert_is_whole),
		BMD_CASE(an_outcome_counts_only_with_its_acknowledgement),
		BMD_CASE(an_operator_names_a_technician_who_accepts),
		BMD_CASE(an_operator_ends_an_alert_and_the_next_bad_reading_raises_another),
		BMD_CASE(nobody_but_an_operator_ends_an_alert_that_holds),
		BMD_CASE(an_open_alert_follows_the_time_its_rule_gives_for_an_answer),
		BMD_CASE(what_rose_and_cleared_comes_back_as_its_rule_says_and_is_told_once),
		BMD_CASE(a_value_around_the_second_limit_calls_people_once),
		BMD_CASE(who_suppresses_an_alert_stands_in_its_history_from_the_beginning),
		BMD_CASE(an_answer_finds_room_in_a_journal_that_is_full_for_others), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo life_suite;
const CU_SuiteInfo life_suite = BMD_SUITE("life", cases);
