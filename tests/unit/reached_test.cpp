/// @file reached_test.cpp  Unit tests of whom an alert has reached, and of the tasks of bmd_reach.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "reached.hpp"

#include "bed.hpp"
#include "delivery.hpp"
#include "tasks.hpp"

namespace {

using bmd::ReachedBy;
using bmd_test::Bed;
using bmd_test::store;

constexpr std::uint64_t here = 1;
constexpr std::uint64_t there = 2;
constexpr std::uint64_t phone = 77;

bmd::Uuid id_of(std::uint8_t number)
{
	bmd::Uuid id{};
	id[15] = number;
	return id;
}

bmd::MessageOutcome took(
		std::string_view person, std::uint64_t terminal, int told, std::uint64_t instance = 0)
{
	return {person, terminal, instance, static_cast<std::uint8_t>(told), true, 5};
}

void each_terminal_is_remembered_with_what_it_was_told_last()
{
	const Bed bed;
	bmd::note_message(id_of(1), took("ann", here, BMD_TOLD_HIGH));
	bmd::note_message(id_of(1), took("ann", there, BMD_TOLD_HIGH));
	bmd::note_message(id_of(1), took("ann", here, BMD_TOLD_TAKEN));
	bmd::note_message(id_of(2), took("ann", here, BMD_TOLD_OVER));
	const auto found = bmd::reached_of(id_of(1));
	BMD_EQUAL(found.size(), 2U);
	BMD_EQUAL(int{found[0].told}, int{BMD_TOLD_TAKEN});
	BMD_EQUAL(int{found[1].told}, int{BMD_TOLD_HIGH});
}

void a_terminal_with_a_new_address_is_the_same_by_its_instance()
{
	const Bed bed;
	bmd::note_message(id_of(1), took("ann", here, BMD_TOLD_HIGH, phone));
	bmd::note_message(id_of(1), took("ann", there, BMD_TOLD_TAKEN, phone));
	const auto found = bmd::reached_of(id_of(1));
	BMD_EQUAL(found.size(), 1U);
	BMD_EQUAL(found[0].terminal, there);
	BMD_EQUAL(int{found[0].told}, int{BMD_TOLD_TAKEN});
}

void a_failed_attempt_changes_nothing_of_what_was_told()
{
	const Bed bed;
	bmd::note_message(id_of(1), took("ann", here, BMD_TOLD_HIGH));
	bmd::MessageOutcome failed = took("ann", here, BMD_TOLD_TAKEN);
	failed.taken = false;
	bmd::note_message(id_of(1), failed);
	const auto found = bmd::reached_of(id_of(1));
	BMD_EQUAL(found.size(), 1U);
	BMD_EQUAL(int{found[0].told}, int{BMD_TOLD_HIGH});
	CU_ASSERT(found[0].failed);
}

void subscribers_of_an_alert_are_bounded_and_texts_are_not_among_them()
{
	const Bed bed;
	for(std::size_t i = 0; i < bmd::most_subscribers + 10; ++i)
		bmd::note_delivered(id_of(1), "p" + std::to_string(i), ReachedBy::subscription, 1);
	bmd::note_message(id_of(1), took("ann", here, BMD_TOLD_HIGH));
	BMD_EQUAL(bmd::reached_of(id_of(1)).size(), bmd::most_subscribers + 1);
}

void a_full_table_is_counted_and_nothing_breaks()
{
	const Bed bed;
	store()->reached.size = 2;
	for(std::uint8_t i = 1; i <= 5; ++i)
		bmd::note_message(id_of(i), took("ann", here, BMD_TOLD_HIGH));
	BMD_EQUAL(store()->counters[bmd::count_reached_lost_memory].load(), 3U);
	BMD_EQUAL(bmd::reached_of(id_of(2)).size(), 1U);
	CU_ASSERT(bmd::reached_of(id_of(3)).empty());
}

bmd::SendTask message_for(const bmd::Uuid &alert)
{
	bmd::SendTask task{alert, 1, 1, 0, BMD_TASK_MESSAGE, {}};
	bmd::copy_text(task.person, bmd::name_size, "ann");
	return task;
}

void without_a_module_that_sends_a_task_is_recorded_as_not_sent()
{
	const Bed bed;
	CU_ASSERT(bmd::put_task(message_for(id_of(1))));
	bmd::drain_tasks();
	std::uint64_t at = store()->deliveries.tail();
	const auto *delivery = static_cast<const bmd::Delivery *>(store()->deliveries.next(at));
	CU_ASSERT(delivery != nullptr);
	if(delivery != nullptr)
		BMD_EQUAL(delivery->code, 999);
	bmd::put_person_task(BMD_TASK_REGISTERED, "ann");
	bmd::SendTask task{};
	CU_ASSERT(!bmd::take_task(task));
}

void a_change_is_a_task_only_of_an_alert_that_a_text_was_asked_for()
{
	const Bed bed;
	store()->tasks_taken = true;
	bmd::AlertRec alert{};
	alert.id = id_of(1);
	bmd::put_change_task(alert);
	bmd::SendTask task{};
	CU_ASSERT(!bmd::take_task(task));
	CU_ASSERT(bmd::put_task(message_for(id_of(1))));
	CU_ASSERT(bmd::take_task(task));
	bmd::put_change_task(alert);
	CU_ASSERT(bmd::take_task(task));
	BMD_EQUAL(int{task.how}, int{BMD_TASK_CHANGED});
}

void a_task_without_room_makes_everybody_be_looked_at()
{
	const Bed bed;
	store()->tasks_taken = true;
	while(bmd::put_task(message_for(id_of(1)))) {
	}
	CU_ASSERT(store()->tasks_missed.load());
	CU_ASSERT(store()->counters[bmd::count_escalation_tasks_lost].load() > 0);
}

void whom_a_step_has_called_is_known_by_alert_and_person()
{
	const Bed bed;
	bmd::note_asked(id_of(1), "ann", ReachedBy::call);
	CU_ASSERT(!bmd::was_called(id_of(1), "ann"));
	bmd::note_called(id_of(1), "ann");
	CU_ASSERT(bmd::was_called(id_of(1), "ann"));
	CU_ASSERT(!bmd::was_called(id_of(2), "ann"));
	CU_ASSERT(!bmd::was_called(id_of(1), "bob"));
}

CU_TestInfo cases[] = {BMD_CASE(each_terminal_is_remembered_with_what_it_was_told_last),
		BMD_CASE(a_terminal_with_a_new_address_is_the_same_by_its_instance),
		BMD_CASE(a_failed_attempt_changes_nothing_of_what_was_told),
		BMD_CASE(subscribers_of_an_alert_are_bounded_and_texts_are_not_among_them),
		BMD_CASE(a_full_table_is_counted_and_nothing_breaks),
		BMD_CASE(without_a_module_that_sends_a_task_is_recorded_as_not_sent),
		BMD_CASE(a_change_is_a_task_only_of_an_alert_that_a_text_was_asked_for),
		BMD_CASE(a_task_without_room_makes_everybody_be_looked_at),
		BMD_CASE(whom_a_step_has_called_is_known_by_alert_and_person), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo reached_suite;
const CU_SuiteInfo reached_suite = BMD_SUITE("reached", cases);
