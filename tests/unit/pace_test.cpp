/// @file pace_test.cpp  Unit tests for how many texts a person gets.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "pace.hpp"

#include "suites.hpp"

namespace {

using bmd::second_us;
using bmd::reach::Pace;

void more_than_the_limit_in_a_minute_is_held_back_and_told_once_after_it()
{
	Pace pace;
	for(int i = 0; i < 10; ++i)
		CU_ASSERT(pace.may("ann", 10, i * second_us));
	CU_ASSERT(!pace.may("ann", 10, 20 * second_us));
	CU_ASSERT(!pace.may("ann", 10, 21 * second_us));
	CU_ASSERT(pace.ended(59 * second_us).empty());
	const auto held = pace.ended(60 * second_us);
	BMD_EQUAL(held.size(), 1U);
	BMD_EQUAL(held.front().person, "ann");
	BMD_EQUAL(held.front().texts, 2U);
	CU_ASSERT(pace.ended(61 * second_us).empty());
	CU_ASSERT(pace.may("ann", 10, 61 * second_us));
}

void one_persons_flood_holds_back_nobody_elses_text()
{
	Pace pace;
	CU_ASSERT(pace.may("ann", 1, 0));
	CU_ASSERT(!pace.may("ann", 1, 0));
	CU_ASSERT(pace.may("bob", 1, 0));
}

void a_quiet_minute_leaves_nothing_to_tell()
{
	Pace pace;
	CU_ASSERT(pace.may("ann", 1, 0));
	CU_ASSERT(pace.may("ann", 1, 60 * second_us)); // also before ended() was asked
	CU_ASSERT(pace.ended(200 * second_us).empty());
}

void what_was_held_back_is_not_forgotten_when_more_comes_before_it_is_told()
{
	Pace pace;
	CU_ASSERT(pace.may("ann", 1, 0));
	CU_ASSERT(!pace.may("ann", 1, second_us));
	CU_ASSERT(!pace.may("ann", 1, 61 * second_us));
	const auto held = pace.ended(61 * second_us);
	BMD_EQUAL(held.size(), 1U);
	BMD_EQUAL(held.front().texts, 2U);
}

CU_TestInfo cases[] = {
		BMD_CASE(more_than_the_limit_in_a_minute_is_held_back_and_told_once_after_it),
		BMD_CASE(one_persons_flood_holds_back_nobody_elses_text),
		BMD_CASE(a_quiet_minute_leaves_nothing_to_tell),
		BMD_CASE(what_was_held_back_is_not_forgotten_when_more_comes_before_it_is_told),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo pace_suite;
const CU_SuiteInfo pace_suite = BMD_SUITE("pace", cases);
