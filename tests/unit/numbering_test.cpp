/// @file numbering_test.cpp  Unit tests for the numbers of batches.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "numbering.hpp"

#include <cstdint>
#include <limits>
#include <string>

#include "suites.hpp"

namespace {

using bmd::Turn;

constexpr bmd::TimeUs now = 1'763'690'000'000'000;

bool says(std::string_view text, std::int64_t seq, std::int64_t first, std::string_view rest)
{
	const auto read = bmd::read_absence(text, seq);
	return read.first == first && read.text == rest;
}

void absence_is_read_from_the_first_line_alone()
{
	CU_ASSERT(says("OX-1 SpO2=97\n", 9, 9, "OX-1 SpO2=97\n"));
	CU_ASSERT(says("!absent 6\nOX-1 SpO2=97", 9, 6, "OX-1 SpO2=97"));
	CU_ASSERT(says("!absent 9\n", 9, 9, ""));
	CU_ASSERT(says("!absent 1", 9, 1, ""));
	CU_ASSERT(says("OX-1 SpO2=97\n!absent 6", 9, 9, "OX-1 SpO2=97\n!absent 6"));
	CU_ASSERT(says("", 9, 9, ""));
}

void a_wrong_statement_is_left_in_the_text()
{
	for(const char *text : {"!absent", "!absent \nX", "!absent 0\nX", "!absent 10\nX",
				"!absent -1\nX", "!absent 6 \nX", "!absent 6\r\nX", "!absent 6x",
				"!absent 99999999999999999999", "! absent 6", "!absent\t6"})
		CU_ASSERT(says(text, 9, 9, text));
}

void numbers_are_taken_in_their_turn()
{
	const bmd::Progress progress{10, 10, 4};
	CU_ASSERT(bmd::turn_of(progress, 10, 10, false) == Turn::duplicate);
	CU_ASSERT(bmd::turn_of(progress, 1, 10, true) == Turn::duplicate);
	CU_ASSERT(bmd::turn_of(progress, 11, 11, false) == Turn::next);
	CU_ASSERT(bmd::turn_of(progress, 11, 11, true) == Turn::gap);
	CU_ASSERT(bmd::turn_of(progress, 12, 12, false) == Turn::gap);
	CU_ASSERT(bmd::turn_of(progress, 11, 15, false) == Turn::next);
	CU_ASSERT(bmd::turn_of(progress, 5, 15, false) == Turn::next);
	CU_ASSERT(bmd::turn_of(progress, 12, 15, false) == Turn::gap);
}

void what_waits_for_room_is_judged_once_and_in_order()
{
	const bmd::Progress progress{10, 13, 4};
	CU_ASSERT(bmd::turn_of(progress, 11, 11, false) == Turn::next_judged);
	CU_ASSERT(bmd::turn_of(progress, 11, 13, false) == Turn::next_judged);
	CU_ASSERT(bmd::turn_of(progress, 12, 12, false) == Turn::gap);
	CU_ASSERT(bmd::turn_of(progress, 13, 13, false) == Turn::gap);
	CU_ASSERT(bmd::turn_of(progress, 14, 14, false) == Turn::ahead);
	CU_ASSERT(bmd::turn_of(progress, 14, 14, true) == Turn::gap);
	CU_ASSERT(bmd::turn_of(progress, 15, 15, false) == Turn::gap);
	CU_ASSERT(bmd::turn_of(progress, 14, 16, false) == Turn::ahead);
}

void answers_carry_the_numbers_to_go_on_by()
{
	CU_ASSERT(bmd::with_numbers("busy", {3, 7, 2}) == "busy; expected=4 judged=7 durable=2");
}

void numbers_are_never_cut()
{
	constexpr auto most = std::numeric_limits<std::int64_t>::max();
	const std::string said = bmd::with_numbers(std::string(100, 'x'), {most - 1, most, most});
	BMD_EQUAL(said.size(), bmd::longest_fault);
	const std::string number = std::to_string(most);
	CU_ASSERT(said.ends_with("x; expected=" + number + " judged=" + number + " durable=" + number));
}

void epochs_are_neither_old_nor_absurd()
{
	constexpr std::int64_t day = 86'400'000'000;
	CU_ASSERT(bmd::refuse_epoch(7, 7, now).empty());
	CU_ASSERT(bmd::refuse_epoch(now + day, 7, now).empty());
	const auto old = bmd::refuse_epoch(6, 7, now);
	CU_ASSERT(old.ends_with("; known=7 clock=1763690000000000"));
	CU_ASSERT(!bmd::refuse_epoch(now + day + 1, 7, now).empty());
	CU_ASSERT(!bmd::refuse_epoch(std::numeric_limits<std::int64_t>::max(), 0, now).empty());
}

CU_TestInfo cases[] = {BMD_CASE(absence_is_read_from_the_first_line_alone),
		BMD_CASE(a_wrong_statement_is_left_in_the_text), BMD_CASE(numbers_are_taken_in_their_turn),
		BMD_CASE(what_waits_for_room_is_judged_once_and_in_order),
		BMD_CASE(answers_carry_the_numbers_to_go_on_by), BMD_CASE(numbers_are_never_cut),
		BMD_CASE(epochs_are_neither_old_nor_absurd), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo numbering_suite = BMD_SUITE("numbering", cases);
