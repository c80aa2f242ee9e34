/// @file replays_test.cpp  Unit tests for replays.hpp of bmd-watch.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "replays.hpp"

#include <string>

#include "suites.hpp"

namespace {

using bmd::watch::NotifyName;
using bmd::watch::Replays;

constexpr bmd::TimeUs now = 1'795'230'000'123'456;

NotifyName notify(std::uint32_t cseq, const std::string &branch, const std::string &dialog = "a")
{
	return {dialog, cseq, branch};
}

// Replays that has taken 1 to `last`, each in the transaction "b" and its number.
Replays taken(std::uint32_t last)
{
	Replays replays;
	for(std::uint32_t cseq = 1; cseq <= last; ++cseq)
		CU_ASSERT(replays.take(notify(cseq, "b" + std::to_string(cseq)), now));
	return replays;
}

void what_is_above_the_last_cseq_is_new()
{
	Replays replays = taken(3);
	CU_ASSERT(!replays.is_replay(notify(4, "b4"), now));
	CU_ASSERT(!replays.is_replay(notify(9, "b9"), now));
	CU_ASSERT(replays.take(notify(9, "b9"), now));
	CU_ASSERT(replays.is_replay(notify(8, "b8"), now));
}

void the_same_or_a_lower_cseq_in_a_transaction_of_its_own_is_a_replay()
{
	Replays replays = taken(3);
	for(std::uint32_t cseq = 1; cseq <= 3; ++cseq) {
		CU_ASSERT(replays.is_replay(notify(cseq, "again"), now));
		CU_ASSERT(!replays.take(notify(cseq, "again"), now));
	}
	CU_ASSERT(!replays.is_replay(notify(4, "b4"), now));
}

void a_retransmission_is_none()
{
	const Replays replays = taken(3);
	for(std::uint32_t cseq = 1; cseq <= 3; ++cseq)
		CU_ASSERT(!replays.is_replay(notify(cseq, "b" + std::to_string(cseq)), now));
	CU_ASSERT(replays.is_replay(notify(1, "b2"), now));
}

void a_retransmission_after_32_s_is_a_replay()
{
	const Replays replays = taken(3);
	CU_ASSERT(!replays.is_replay(notify(2, "b2"), now + 31 * bmd::second_us));
	CU_ASSERT(replays.is_replay(notify(2, "b2"), now + 32 * bmd::second_us));
}

void a_retransmission_that_comes_after_64_others_counts_as_one()
{
	const Replays replays = taken(65);
	CU_ASSERT(replays.is_replay(notify(1, "b1"), now));
	CU_ASSERT(!replays.is_replay(notify(2, "b2"), now));
}

void what_was_not_taken_raises_nothing()
{
	const Replays replays = taken(3);
	CU_ASSERT(!replays.is_replay(notify(1000, "made up"), now));
	CU_ASSERT(!replays.is_replay(notify(4, "b4"), now));
	CU_ASSERT(replays.is_replay(notify(3, "again"), now));
}

void each_dialog_has_its_own_count_and_64_are_remembered()
{
	Replays replays = taken(3);
	CU_ASSERT(!replays.is_replay(notify(1, "x", "another"), now));
	CU_ASSERT(replays.take(notify(1, "x", "another"), now));
	CU_ASSERT(replays.is_replay(notify(3, "again"), now));
	for(int i = 0; i < 63; ++i)
		CU_ASSERT(replays.take(notify(1, "x", "dialog " + std::to_string(i)), now));
	CU_ASSERT(!replays.is_replay(notify(3, "again"), now));
	CU_ASSERT(replays.is_replay(notify(1, "y", "another"), now));
}

CU_TestInfo cases[] = {BMD_CASE(what_is_above_the_last_cseq_is_new),
		BMD_CASE(the_same_or_a_lower_cseq_in_a_transaction_of_its_own_is_a_replay),
		BMD_CASE(a_retransmission_is_none), BMD_CASE(a_retransmission_after_32_s_is_a_replay),
		BMD_CASE(a_retransmission_that_comes_after_64_others_counts_as_one),
		BMD_CASE(what_was_not_taken_raises_nothing),
		BMD_CASE(each_dialog_has_its_own_count_and_64_are_remembered), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo replays_suite;
const CU_SuiteInfo replays_suite = BMD_SUITE("replays", cases);
