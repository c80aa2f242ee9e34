/// @file escalate_test.cpp  Unit tests of the process that escalates: what it finds, what fails,
/// how it waits.  SPDX-License-Identifier: GPL-2.0-or-later

#include <new>

#include "failing_memory.hpp"
#include "hospital.hpp"
#include "reached.hpp"
#include "recipients.hpp"
#include "slots.hpp"
#include "tasks.hpp"

namespace {

using namespace bmd_test;

void an_alert_that_comes_back_is_found_at_any_moment()
{
	Hospital hospital;
	hospital.policy({to_person(hour, "tech1")});
	const Index alert = Hospital::raise(0);
	hospital.run(10);
	CU_ASSERT(store()->escalation[alert].due != 0);
	CU_ASSERT(bmd::condition_gone(alert, false, bmd::wall_now()));
	hospital.run(1100);
	BMD_EQUAL(store()->escalation[alert].due, 0);
	const bmd::KeptKey key{"D0", bmd::find_metric("SpO2")->id, bmd::Condition::low};
	BMD_EQUAL(bmd::take_back(key, 0, 0, bmd::find_device("D0")), alert);
	hospital.run(10); // before the intake has gone on
	bmd::reopen_alert(alert, Hospital::seed(0));
	hospital.run(10);
	CU_ASSERT(store()->escalation[alert].due != 0);
	CU_ASSERT(store()->alerts[alert].cleared_at == 0);
}

void an_open_alert_that_was_passed_over_is_found_within_seconds()
{
	Hospital hospital;
	hospital.policy({to_person(0, "tech1")});
	hospital.run(10);
	const Index alert = Hospital::raise(0);
	store()->escalation[alert].opened = 0; // as if it had been seen
	hospital.run(10);
	BMD_EQUAL(store()->escalation[alert].begun, 0U);
	BMD_EQUAL(hospital.begun(alert, 1), 1U);
}

void what_a_slot_kept_of_another_alert_makes_no_step()
{
	Hospital hospital;
	hospital.policy({to_person(hour, "tech1")});
	const Index alert = Hospital::raise(0);
	store()->escalation[alert].flags.fetch_or(bmd::escalation_unfinished);
	hospital.run(400);
	BMD_EQUAL(store()->escalation[alert].begun, 0U);
	BMD_EQUAL(store()->alerts[alert].revision, 1U);
	BMD_EQUAL(store()->escalation[alert].flags.load(), 0U);
}

// Each alert of a series meets one allocation that fails, each time a later one.
void no_failure_ends_an_escalation_or_begins_a_step_twice()
{
	constexpr std::size_t alerts = 60;
	Hospital hospital(alerts, 4096);
	hospital.policy({{0, Whom::responsible, {}, bmd::how_message}, to_person(1000, "tech1"),
			to_person(hour, "tech2")});
	hospital.run(10);
	std::size_t failed = 0;
	for(std::size_t n = 0; n < alerts; ++n) {
		(void)Hospital::raise(n);
		const bmd_test::FailingMemory memory(static_cast<int>(n));
		hospital.escalator.round(0);
		store()->escalations.release(store()->escalations.head());
		hospital.escalator.round(0);
		hospital.escalator.round(0);
		failed += bmd_test::FailingMemory::failed() ? 1 : 0;
	}
	CU_ASSERT(failed > 15);
	CU_ASSERT(store()->counters[bmd::count_escalation_failures].load() > 0);
	hospital.run(4500); // the sweep, and a second
	std::size_t well = 0;
	for(std::size_t n = 0; n < alerts; ++n) {
		const Index alert = store()->devices[bmd::find_device("D" + std::to_string(n))].first_alert;
		const bmd::AlertRec &rec = store()->alerts[alert];
		// raised, escalated
		well += store()->escalation[alert].begun == 2 && rec.response.step == 2 && rec.revision == 2
								&& store()->escalation[alert].due != 0
						? 1
						: 0;
	}
	BMD_EQUAL(well, alerts);
}

void rosters_are_read_again_after_a_failure()
{
	const Hospital hospital;
	bmd::Duty duty;
	for(int n = 0; n < 40; ++n) {
		duty.default_team = "team " + std::to_string(n);
		duty.teams = {{1, duty.default_team, {"somebody with a long name", "and another one"}}};
		CU_ASSERT(bmd::publish_duty(duty));
		try {
			const bmd_test::FailingMemory memory(n);
			(void)bmd::duty_now();
		} catch(const std::bad_alloc &) {
		}
		BMD_EQUAL(bmd::duty_now()->default_team, duty.default_team);
	}
}

void many_overdue_alerts_wait_for_the_writer_the_most_urgent_first()
{
	constexpr std::size_t alerts = 60;
	Hospital hospital(alerts, 64);
	hospital.policy({{0, Whom::team, "all", bmd::how_subscribe}});
	store()->database_up.store(1);
	for(std::size_t n = 0; n < alerts; ++n)
		(void)Hospital::raise(n, n < alerts / 2 ? Priority::low : Priority::high);
	std::string order;
	std::string known;
	const TimeUs until = bmd::mono_now() + 5 * second_us;
	const auto take = [&](std::size_t most) { // as the writer does
		std::uint64_t at = store()->escalations.tail();
		for(std::size_t n = 0; n < most; ++n) {
			const auto *row =
					static_cast<const bmd::EscalationRow *>(store()->escalations.next(at));
			if(row == nullptr)
				break;
			if(row->feed[0] == '\0')
				order += bmd::find_by_id(row->alert) > alerts / 2 ? 'h' : 'l';
		}
		store()->escalations.release(at);
	};
	while(order.size() < alerts && bmd::mono_now() < until) {
		hospital.escalator.round(1);
		take(40);
		if(order.size() == 6)
			known = std::to_string(store()->counters[bmd::count_escalation_steps].load());
	}
	BMD_EQUAL(order, std::string(alerts / 2, 'h') + std::string(alerts / 2, 'l'));
	BMD_EQUAL(store()->counters[bmd::count_escalation_rows_lost].load(), 0U);
}

void a_database_that_has_stopped_holds_nobody_up()
{
	constexpr std::size_t alerts = 30;
	Hospital hospital(alerts, 64);
	hospital.policy({{0, Whom::team, "all", bmd::how_subscribe}});
	store()->database_up.store(1);
	for(std::size_t n = 0; n < alerts; ++n)
		(void)Hospital::raise(n);
	const TimeUs until = bmd::mono_now() + 2 * second_us;
	const auto &steps = store()->counters[bmd::count_escalation_steps];
	while(steps.load() < alerts && bmd::mono_now() < until)
		hospital.escalator.round(1);
	BMD_EQUAL(steps.load(), alerts);
	CU_ASSERT(bmd::mono_now() < until);
}

void who_comes_later_is_found_though_the_repetition_is_far()
{
	Hospital hospital;
	hospital.policy({to_person(0, "zoe")}, 24 * hour);
	const Index alert = Hospital::raise(0);
	hospital.run(50);
	const bmd::EscalationRec &rec = store()->escalation[alert];
	CU_ASSERT((rec.flags.load() & bmd::escalation_nobody) != 0);
	CU_ASSERT(rec.due <= bmd::mono_now() + 60 * second_us);
	const std::uint32_t before = rec.begun;
	bmd::FeedChanges changes;
	CU_ASSERT(bmd::put_person("zoe", {}, changes));
	bmd::count(bmd::count_sync_changes);
	BMD_EQUAL(hospital.begun(alert, before + 1), before + 1);
	CU_ASSERT(bmd::is_recipient(store()->alerts[alert].id, bmd::find_feed("zoe")));
}

void many_alerts_that_end_together_leave_no_recipients()
{
	constexpr std::size_t alerts = 100;
	Hospital hospital(alerts, 4096);
	hospital.policy({{0, Whom::team, "all", bmd::how_subscribe}});
	for(std::size_t n = 0; n < alerts; ++n)
		(void)Hospital::raise(n);
	hospital.run(100);
	const Index tech1 = bmd::find_feed("tech1");
	BMD_EQUAL(bmd::escalated_to(tech1).size(), alerts);
	for(const bmd::Escalated &one : bmd::escalated_to(tech1)) // the newest first
		bmd::forget_recipients(one.alert);
	BMD_EQUAL(bmd::escalated_to(tech1).size(), 0U);
	BMD_EQUAL(bmd::escalated_to(bmd::find_feed("tech8")).size(), 0U);
}

// Who is to be called, in the order of asking.
std::string calls()
{
	std::string people;
	for(bmd::SendTask task{}; bmd::take_task(task);)
		if(task.how == bmd::how_call)
			people += std::string(people.empty() ? "" : " ") + task.person;
	return people;
}

void who_was_not_called_before_a_stop_is_called_after_it()
{
	Hospital hospital;
	store()->tasks_taken = true;
	const std::vector<bmd::EscalationStep> steps = {{0, Whom::team, "all", bmd::how_call}};
	hospital.policy(steps);
	const Index alert = Hospital::raise(0);
	hospital.run(20);
	BMD_EQUAL(calls(), "tech1 tech2 tech3 tech4 tech5 tech6 tech7 tech8");
	// as a start finds it
	for(int n = 3; n < 9; ++n)
		bmd::note_called(store()->alerts[alert].id, "tech" + std::to_string(n));
	store()->escalation[alert].flags.fetch_or(bmd::escalation_call);
	hospital.policy(steps);
	hospital.run(20);
	BMD_EQUAL(calls(), "tech1 tech2");
	hospital.policy(steps);
	hospital.run(20);
	BMD_EQUAL(calls(), "");
	BMD_EQUAL(store()->escalation[alert].begun, 1U);
}

void what_somebody_took_before_the_start_calls_nobody()
{
	Hospital hospital;
	store()->tasks_taken = true;
	hospital.policy({to_person(0, "tech1", bmd::how_call)});
	const Index alert = Hospital::raise(0);
	hospital.run(20);
	BMD_EQUAL(calls(), "tech1");
	store()->escalation[alert].flags.fetch_or(bmd::escalation_call);
	store()->alerts[alert].response.response = bmd::Response::accepted;
	bmd::resume_escalations();
	hospital.run(150);
	BMD_EQUAL(calls(), "");
	BMD_EQUAL(store()->escalation[alert].flags.load() & bmd::escalation_call, 0);
}

void a_call_that_finds_no_room_is_asked_for_when_there_is()
{
	Hospital hospital(4, 1024, 4);
	store()->tasks_taken = true;
	hospital.policy({{0, Whom::team, "all", bmd::how_call}});
	const Index alert = Hospital::raise(0);
	std::string people;
	for(int n = 0; n < 4; ++n) {
		hospital.run(10);
		people += calls() + ";";
	}
	BMD_EQUAL(people, "tech1 tech2 tech3 tech4;tech5 tech6 tech7 tech8;;;");
	store()->alerts[alert].response.response = bmd::Response::none;
	const Index other = Hospital::raise(1);
	hospital.run(10);
	store()->alerts[other].response.response = bmd::Response::accepted;
	BMD_EQUAL(calls(), "tech1 tech2 tech3 tech4");
	hospital.run(10);
	BMD_EQUAL(calls(), ""); // it was taken meanwhile
}

void registrations_leave_room_for_steps()
{
	const Hospital hospital(4, 1024, 8);
	store()->tasks_taken = true;
	for(int n = 0; n < 20; ++n)
		bmd::put_person_task(BMD_TASK_REGISTERED, "tech1");
	BMD_EQUAL(store()->tasks.used(), 6U);
	bmd::SendTask task{};
	task.how = BMD_TASK_CALL;
	CU_ASSERT(bmd::put_task(task));
	CU_ASSERT(bmd::put_task(task));
	CU_ASSERT(!bmd::put_task(task));
}

CU_TestInfo cases[] = {BMD_CASE(an_alert_that_comes_back_is_found_at_any_moment),
		BMD_CASE(an_open_alert_that_was_passed_over_is_found_within_seconds),
		BMD_CASE(what_a_slot_kept_of_another_alert_makes_no_step),
		BMD_CASE(no_failure_ends_an_escalation_or_begins_a_step_twice),
		BMD_CASE(rosters_are_read_again_after_a_failure),
		BMD_CASE(many_overdue_alerts_wait_for_the_writer_the_most_urgent_first),
		BMD_CASE(a_database_that_has_stopped_holds_nobody_up),
		BMD_CASE(who_comes_later_is_found_though_the_repetition_is_far),
		BMD_CASE(many_alerts_that_end_together_leave_no_recipients),
		BMD_CASE(who_was_not_called_before_a_stop_is_called_after_it),
		BMD_CASE(what_somebody_took_before_the_start_calls_nobody),
		BMD_CASE(a_call_that_finds_no_room_is_asked_for_when_there_is),
		BMD_CASE(registrations_leave_room_for_steps), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo escalate_suite;
const CU_SuiteInfo escalate_suite = BMD_SUITE("escalate", cases);
