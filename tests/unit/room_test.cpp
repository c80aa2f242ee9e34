/// @file room_test.cpp  Unit tests of which connections make room for others.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <string>
#include <vector>

#include "bmd_core_room.h"
#include "suites.hpp"

namespace {

// "1 2 5" of the connections that go, in order of their numbers; what stays must be all the others.
std::string gone(std::vector<bmd_stranger> strangers, std::size_t excess)
{
	std::vector<int> before;
	for(const bmd_stranger &one : strangers)
		before.push_back(one.connection);
	const std::size_t many = bmd_core_make_room(strangers.data(), strangers.size(), excess);
	std::vector<int> after;
	for(const bmd_stranger &one : strangers)
		after.push_back(one.connection);
	std::vector<int> those(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(many));
	std::ranges::sort(those);
	std::ranges::sort(before);
	std::ranges::sort(after);
	CU_ASSERT(before == after);
	std::string text;
	for(const int connection : those)
		text += (text.empty() ? "" : " ") + std::to_string(connection);
	return text;
}

void nothing_goes_when_there_is_room()
{
	BMD_EQUAL(gone({}, 0), "");
	BMD_EQUAL(gone({}, 3), "");
	BMD_EQUAL(gone({{7, 1}, {7, 2}}, 0), "");
}

void the_oldest_of_who_has_the_most_go_first()
{
	BMD_EQUAL(gone({{1, 10}, {2, 4}, {1, 5}, {1, 8}, {2, 3}, {1, 9}}, 2), "5 8");
}

void who_has_few_loses_none_while_others_have_more()
{
	std::vector<bmd_stranger> strangers;
	for(int i = 0; i < 100; ++i)
		strangers.push_back({99, 1000 + i});
	for(int i = 0; i < 10; ++i)
		strangers.push_back({static_cast<std::uint64_t>(i), i}); // older, and of one each
	std::string all_but_the_last;
	for(int i = 0; i < 60; ++i)
		all_but_the_last += (i == 0 ? "" : " ") + std::to_string(1000 + i);
	BMD_EQUAL(gone(strangers, 60), all_but_the_last);
}

void all_who_have_many_come_down_to_the_same_number()
{
	BMD_EQUAL(gone({{1, 1}, {1, 2}, {1, 3}, {1, 4}, {2, 5}, {2, 6}, {2, 7}, {3, 8}}, 3), "1 2 5");
}

void nobody_loses_the_last_one()
{
	BMD_EQUAL(gone({{1, 1}, {2, 2}, {3, 3}}, 3), "");
	BMD_EQUAL(gone({{1, 1}, {2, 2}, {1, 3}}, 3), "1");
}

CU_TestInfo cases[] = {BMD_CASE(nothing_goes_when_there_is_room),
		BMD_CASE(the_oldest_of_who_has_the_most_go_first),
		BMD_CASE(who_has_few_loses_none_while_others_have_more),
		BMD_CASE(all_who_have_many_come_down_to_the_same_number),
		BMD_CASE(nobody_loses_the_last_one), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo room_suite;
const CU_SuiteInfo room_suite = BMD_SUITE("room", cases);
