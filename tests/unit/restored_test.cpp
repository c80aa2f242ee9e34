/// @file restored_test.cpp  Unit tests of what comes from the database: alerts and windows.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bed.hpp"
#include "closed.hpp"
#include "forget.hpp"
#include "slots.hpp"
#include "windows.hpp"

namespace {

using namespace bmd_test;

Index restore(bmd::TimeUs raised, Priority priority, double value, std::uint32_t code = 0)
{
	bmd::AlertRec alert{};
	alert.metric = bmd::find_metric("SpO2")->id;
	alert.id = bmd::derive_alert_id("D0", alert.metric, bmd::Condition::low, raised);
	bmd::copy_text(alert.serial, bmd::name_size, "D0");
	alert.device = Bed::device();
	alert.condition = bmd::Condition::low;
	alert.kind = bmd::AlertKind::physiological;
	alert.priority = priority;
	alert.state = bmd::AlertState::active;
	alert.value = value;
	alert.revision = 1;
	alert.code = code;
	alert.onset_at = alert.raised_at = raised;
	const Index slot = bmd::restore_alert(alert);
	bmd::adopt_alert(slot);
	return slot;
}

void of_two_restored_alerts_of_a_metric_the_older_ends()
{
	for(const bool newer_first : {false, true}) {
		Bed bed;
		Bed::rule(low(90));
		(void)restore(newer_first ? 2 : 1, Priority::medium, 80);
		(void)restore(newer_first ? 1 : 2, Priority::medium, 80);
		BMD_EQUAL(store()->open_count, 1U);
		BMD_EQUAL(Bed::rec().raised_at, 2);
		BMD_EQUAL(bed.told(), "superseded");
		bed.reads(97);
		BMD_EQUAL(store()->open_count, 0U);
	}
}

void a_restored_alert_whose_code_is_taken_gets_another()
{
	Bed bed;
	Bed::rule(low(90));
	bmd::AlertRec first{};
	first.id = bmd::derive_alert_id("D1", 1, bmd::Condition::low, 5);
	bmd::copy_text(first.serial, bmd::name_size, "D1");
	first.device = bmd::find_device("D1");
	first.state = bmd::AlertState::active;
	first.code = 4711;
	first.revision = 1;
	const Index one = bmd::restore_alert(first);
	const Index two = restore(1, Priority::medium, 80, 4711);
	BMD_EQUAL(store()->alerts[one].code, 4711U);
	CU_ASSERT(store()->alerts[two].code != 4711U);
	CU_ASSERT(bmd::find_by_code(4711) == one);
	BMD_EQUAL(bed.told(), "updated");
}

void a_restored_alert_ends_with_a_rule_that_went_while_the_server_was_down()
{
	Bed bed;
	(void)restore(1, Priority::medium, 80);
	BMD_EQUAL(Bed::alert(), 0U);
	Bed::rule(low(90));
	(void)restore(2, Priority::medium, 80);
	CU_ASSERT(Bed::alert() != 0);
	Bed::no_rule();
	bmd::judge_again(Bed::device());
	BMD_EQUAL(Bed::alert(), 0U);
	BMD_EQUAL(bed.told(), "cleared cleared");
}

void a_restored_alert_of_high_priority_is_past_a_second_limit_only_if_there_is_one()
{
	Bed bed;
	Bed::rule(low(90));
	(void)restore(1, Priority::high, 80);
	CU_ASSERT(!Bed::rec().past_second);
	bed.reads(79);
	BMD_EQUAL(bed.told(true), "updated/its rule has changed/");
	bmd::Rule second = low(90);
	second.low_low = 85;
	Bed::rule(second);
	(void)restore(2, Priority::high, 80);
	CU_ASSERT(Bed::rec().past_second);
}

void an_alert_that_is_sent_again_goes_on_where_its_history_ended()
{
	Bed bed;
	Bed::rule(low(90));
	const bmd::Uuid id = bmd::derive_alert_id(
			"D0", bmd::find_metric("SpO2")->id, bmd::Condition::low, 1'000'000'001'000'000);
	bmd::know_closed(id, 7);
	bmd::closed_known();
	bed.reads(80);
	CU_ASSERT(Bed::rec().id == id);
	BMD_EQUAL(Bed::rec().revision, 8U);
	BMD_EQUAL(Bed::rec().journaled, 8U);
	bmd::know_closed(id, 0);
}

void a_device_that_is_forgotten_closes_what_is_kept_of_it()
{
	Bed bed;
	Bed::rule(low(90));
	bed.reads(80);
	bed.reads(97);
	store()->devices[Bed::device()].first_metric = 0; // as after a restart
	bmd::forget_device(Bed::device(), "removed");
	BMD_EQUAL(store()->kept_count, 0U);
	BMD_EQUAL(bed.told(), "raised cleared closed");
}

bmd::WindowRec window(std::uint8_t number, TimeUs until)
{
	bmd::WindowRec window{};
	window.id[0] = number;
	window.id[1] = 1;
	window.scope = bmd::WindowScope::device;
	window.until = until;
	bmd::copy_text(window.name, bmd::name_size, "D0");
	return window;
}

void a_window_that_an_operator_ended_is_not_revived_by_the_database()
{
	const Bed bed;
	const TimeUs now = bmd::wall_now();
	const TimeUs until = now + 60 * second_us;
	bmd::WindowRec found{};
	const bmd::WindowRec stored = window(1, until);
	CU_ASSERT(bmd::put_window(stored) && bmd::find_window(Bed::device(), now, found));
	CU_ASSERT(bmd::set_window("D0", now, now, "admin", "done") == bmd::WindowSet::done);
	for(int n = 0; n < 2; ++n) { // the database has not taken it yet
		(void)bmd::windows_moved(now + 1);
		bmd::begin_windows();
		bmd::keep_window(stored.id);
		bmd::drop_lost_windows();
		CU_ASSERT(bmd::put_window(stored) && !bmd::find_window(Bed::device(), now + 1, found));
	}
	bmd::begin_windows();
	bmd::drop_lost_windows();
	BMD_EQUAL(store()->windows.count.load(), 0U);
}

void windows_that_take_the_place_of_others_find_room()
{
	const Bed bed;
	const TimeUs until = bmd::wall_now() + 60 * second_us;
	for(std::uint8_t round = 1; round <= 2; ++round) {
		std::size_t without_room = 0;
		bmd::begin_windows();
		bmd::drop_lost_windows();
		for(std::size_t n = 0; n < bmd::max_windows; ++n) {
			bmd::WindowRec one = window(round, until);
			one.id[2] = static_cast<std::uint8_t>(n);
			one.id[3] = static_cast<std::uint8_t>(n >> 8);
			without_room += bmd::put_window(one) ? 0 : 1;
		}
		BMD_EQUAL(without_room, 0U);
		BMD_EQUAL(bmd::all_windows(bmd::wall_now()).size(), bmd::max_windows);
	}
}

CU_TestInfo cases[] = {BMD_CASE(of_two_restored_alerts_of_a_metric_the_older_ends),
		BMD_CASE(a_restored_alert_whose_code_is_taken_gets_another),
		BMD_CASE(a_restored_alert_ends_with_a_rule_that_went_while_the_server_was_down),
		BMD_CASE(a_restored_alert_of_high_priority_is_past_a_second_limit_only_if_there_is_one),
		BMD_CASE(an_alert_that_is_sent_again_goes_on_where_its_history_ended),
		BMD_CASE(a_device_that_is_forgotten_closes_what_is_kept_of_it),
		BMD_CASE(a_window_that_an_operator_ended_is_not_revived_by_the_database),
		BMD_CASE(windows_that_take_the_place_of_others_find_room), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo restored_suite;
const CU_SuiteInfo restored_suite = BMD_SUITE("restored", cases);
