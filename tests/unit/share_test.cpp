/// @file share_test.cpp  Unit tests for the share of a collector.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "share.hpp"

#include <cstdint>

#include "suites.hpp"

namespace {

void what_has_gone_does_not_wait()
{
	bmd::Backlog backlog{};
	BMD_EQUAL(backlog.waiting(0), 0U);
	backlog.add(10, 10, 0);
	BMD_EQUAL(backlog.waiting(0), 10U);
	BMD_EQUAL(backlog.waiting(9), 10U);
	BMD_EQUAL(backlog.waiting(10), 0U);
}

void what_others_put_into_the_ring_is_not_counted()
{
	bmd::Backlog backlog{};
	backlog.add(10, 100, 0);
	backlog.add(0, 500, 50);
	BMD_EQUAL(backlog.waiting(99), 10U);
	BMD_EQUAL(backlog.waiting(100), 0U);
}

// Never less than what waits, and at most what it put into twice the ring that there is.
void a_steady_stream_is_counted_within_bounds()
{
	constexpr std::uint64_t piece = 16;
	constexpr std::uint64_t behind = 1'000; // the consumer is so far behind
	bmd::Backlog backlog{};
	std::uint64_t head = 0;
	for(int i = 0; i < 10'000; ++i) {
		head += piece;
		const std::uint64_t tail = head > behind ? head - behind : 0;
		backlog.add(piece, head, tail);
		CU_ASSERT_FATAL(backlog.waiting(tail) >= head - tail - piece);
		CU_ASSERT_FATAL(backlog.waiting(tail) <= 2 * behind + piece);
	}
	BMD_EQUAL(backlog.waiting(head), 0U);
}

void it_is_stuck_when_no_look_found_room_for_long()
{
	constexpr bmd::DurationUs patience = 1'000'000;
	bmd::CollectorShare share{};
	CU_ASSERT(!share.stuck(true, 5, patience));
	CU_ASSERT(!share.stuck(true, 5 + patience, patience));
	CU_ASSERT(share.stuck(true, 6 + patience, patience));
	CU_ASSERT(!share.stuck(false, 7 + patience, patience));
	CU_ASSERT(!share.stuck(true, 8 + patience, patience));
}

CU_TestInfo cases[] = {BMD_CASE(what_has_gone_does_not_wait),
		BMD_CASE(what_others_put_into_the_ring_is_not_counted),
		BMD_CASE(a_steady_stream_is_counted_within_bounds),
		BMD_CASE(it_is_stuck_when_no_look_found_room_for_long), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo share_suite;
const CU_SuiteInfo share_suite = BMD_SUITE("share", cases);
