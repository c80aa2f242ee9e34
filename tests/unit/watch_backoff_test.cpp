/// @file watch_backoff_test.cpp  Unit test of how long bmd-watch waits before it tries again.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "backoff.hpp"
#include "suites.hpp"

namespace {

using bmd::watch::Backoff;

void waiting_doubles_up_to_30_seconds_and_heeds_the_server()
{
	Backoff backoff;
	for(const std::uint32_t wait : {1000U, 2000U, 4000U, 8000U, 16'000U, 30'000U, 30'000U})
		BMD_EQUAL(backoff.next(0, 0), wait);
	backoff.reset();
	BMD_EQUAL(backoff.next(60, 0), 60'000U);
	BMD_EQUAL(backoff.next(4'000'000'000U, 0), 3'600'000U);
	backoff.reset();
	for(const std::uint32_t random : {0U, 7U, 250U, 4'294'967'295U}) {
		const std::uint32_t wait = backoff.next(0, random);
		CU_ASSERT(wait >= 1000 && wait <= 1250);
		backoff.reset();
	}
}

CU_TestInfo cases[] = {
		BMD_CASE(waiting_doubles_up_to_30_seconds_and_heeds_the_server), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo watch_backoff_suite;
const CU_SuiteInfo watch_backoff_suite = BMD_SUITE("watch_backoff", cases);
