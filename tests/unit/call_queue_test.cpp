/// @file call_queue_test.cpp  Unit tests for call_queue.hpp of bmd_reach.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "call_queue.hpp"

#include "suites.hpp"

namespace {

using bmd::Priority;
using bmd::reach::CallQueue;

std::string names(const std::vector<bmd::reach::CallAlert> &alerts)
{
	std::string text;
	for(const auto &alert : alerts)
		text += alert.id + "/" + std::to_string(alert.revision) + " ";
	return text;
}

void nobody_is_called_when_nothing_waits()
{
	CallQueue queue;
	CU_ASSERT(!queue.next());
	CU_ASSERT(queue.take("carol").empty());
	queue.over("carol");
	CU_ASSERT(!queue.overtaken("carol"));
}

void who_is_being_called_is_not_called_again()
{
	CallQueue queue;
	queue.ask("carol", {"a", 1, Priority::high});
	BMD_EQUAL(queue.next().value_or(""), "carol");
	BMD_EQUAL(names(queue.take("carol")), "a/1 ");
	queue.calling("carol", Priority::high);
	queue.ask("carol", {"b", 1, Priority::high});
	CU_ASSERT(!queue.next());
	CU_ASSERT(!queue.overtaken("carol"));
	queue.over("carol");
	BMD_EQUAL(queue.next().value_or(""), "carol");
	BMD_EQUAL(names(queue.take("carol")), "b/1 ");
	queue.over("carol");
	CU_ASSERT(!queue.next());
}

void one_call_tells_all_that_waits_the_most_urgent_first()
{
	CallQueue queue;
	queue.ask("carol", {"a", 1, Priority::low});
	queue.ask("carol", {"b", 1, Priority::high});
	queue.ask("carol", {"c", 1, Priority::high});
	queue.ask("carol", {"a", 2, Priority::medium});
	BMD_EQUAL(names(queue.take("carol")), "b/1 c/1 a/2 ");
}

void the_most_urgent_person_comes_first_then_who_waits_longest()
{
	CallQueue queue;
	queue.ask("zoe", {"a", 1, Priority::medium});
	queue.ask("dave", {"b", 1, Priority::medium});
	queue.ask("carol", {"c", 1, Priority::low});
	queue.ask("carol", {"d", 1, Priority::high});
	for(const char *expected : {"carol", "zoe", "dave"}) {
		BMD_EQUAL(queue.next().value_or(""), expected);
		(void)queue.take(expected);
	}
	CU_ASSERT(!queue.next());
}

void only_what_is_more_urgent_overtakes_a_call()
{
	CallQueue queue;
	queue.ask("carol", {"a", 1, Priority::medium});
	(void)queue.take("carol");
	queue.calling("carol", Priority::medium);
	queue.ask("carol", {"b", 1, Priority::medium});
	CU_ASSERT(!queue.overtaken("carol"));
	queue.ask("carol", {"c", 1, Priority::high});
	CU_ASSERT(queue.overtaken("carol"));
	queue.over("carol");
	CU_ASSERT(!queue.overtaken("carol"));
}

void what_is_only_looked_at_waits_still()
{
	CallQueue queue;
	queue.ask("carol", {"a", 1, Priority::low});
	queue.ask("carol", {"b", 1, Priority::high, true});
	BMD_EQUAL(names(queue.waiting("carol")), "b/1 a/1 ");
	CU_ASSERT(queue.waiting("carol")[0].again);
	CU_ASSERT(!queue.waiting("carol")[1].again);
	BMD_EQUAL(queue.next().value_or(""), "carol");
	BMD_EQUAL(names(queue.take("carol")), "b/1 a/1 ");
	CU_ASSERT(queue.waiting("carol").empty());
}

void a_new_asking_is_not_one_again()
{
	CallQueue queue;
	queue.ask("carol", {"a", 1, Priority::high, true});
	queue.ask("carol", {"a", 1, Priority::high});
	CU_ASSERT(!queue.waiting("carol")[0].again);
}

CU_TestInfo cases[] = {BMD_CASE(nobody_is_called_when_nothing_waits),
		BMD_CASE(who_is_being_called_is_not_called_again),
		BMD_CASE(one_call_tells_all_that_waits_the_most_urgent_first),
		BMD_CASE(the_most_urgent_person_comes_first_then_who_waits_longest),
		BMD_CASE(only_what_is_more_urgent_overtakes_a_call),
		BMD_CASE(what_is_only_looked_at_waits_still), BMD_CASE(a_new_asking_is_not_one_again),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo call_queue_suite;
const CU_SuiteInfo call_queue_suite = BMD_SUITE("call_queue", cases);
