/// @file dmp_memory_test.cpp  Unit tests for modules/dmp/memory.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "../../modules/dmp/memory.hpp"

#include <cstdlib>
#include <memory>
#include <string>

#include "suites.hpp"

namespace {

using namespace bmd::dmp;

constexpr bmd::TimeUs now = 7'200 * bmd::second_us;

struct Free
{
	void operator()(Memory *memory) const { std::free(memory); }
};
std::unique_ptr<Memory, Free> memory()
{
	return std::unique_ptr<Memory, Free>(Memory::place(std::calloc(1, Memory::bytes())));
}

Lately answer(const std::string &id, bmd::TimeUs at, bmd::Act act = bmd::Act::accept)
{
	Lately one;
	one.at = at;
	one.act = act;
	id.copy(one.id, sizeof one.id - 1);
	return one;
}

void a_budget_is_each_persons_own_and_comes_back_with_the_minute()
{
	const auto lately = memory();
	for(int i = 0; i < 10; ++i)
		CU_ASSERT(lately->take("ann", Budget::texts, now) == 0);
	const unsigned wait = lately->take("ann", Budget::texts, now + 20 * bmd::second_us);
	CU_ASSERT(wait > 39 && wait <= 41);
	CU_ASSERT(lately->take("ann", Budget::requests, now) == 0);
	// as many others as there are slots: whoever shares one with ann has a budget nevertheless
	for(int i = 0; i < 2000; ++i)
		CU_ASSERT(lately->take("tech" + std::to_string(i), Budget::texts, now) == 0);
	CU_ASSERT(lately->take("ann", Budget::texts, now + wait * bmd::second_us + 20 * bmd::second_us)
			  == 0);
	int requests = 1;
	const bmd::TimeUs later = now + 120 * bmd::second_us;
	while(lately->take("ben", Budget::requests, later) == 0)
		++requests;
	BMD_EQUAL(requests, 301);
}

void the_last_four_answers_of_a_person_are_known_and_the_same_again_is_one()
{
	const auto lately = memory();
	CU_ASSERT(lately->answers("ann", 0).empty());
	for(int i = 0; i < 3; ++i)
		lately->remember("ann", answer("a", now + i));
	Lately bare = answer("b", now + 2);
	bare.bare = true;
	lately->remember("ann", bare);
	lately->remember("ann", answer("b", now + 3)); // again, with its code
	lately->remember("ann", answer("a", now + 4, bmd::Act::resolve));
	lately->remember("ben", answer("x", now + 5));
	auto found = lately->answers("ann", now);
	BMD_EQUAL(found.size(), 3U);
	BMD_EQUAL(std::string(found[0].id) + found[1].id + found[2].id, "aba");
	CU_ASSERT(found[1].bare && !found[0].bare);
	CU_ASSERT(found[0].act == bmd::Act::resolve && found[2].at == now + 2);
	lately->remember("ann", answer("c", now + 6));
	lately->remember("ann", answer("d", now + 7));
	found = lately->answers("ann", now);
	BMD_EQUAL(found.size(), 4U);
	BMD_EQUAL(lately->answers("ann", now + 6).size(), 1U);
}

void the_same_request_from_the_same_place_is_known_for_32_s_and_any_other_is_new()
{
	const auto lately = memory();
	const RequestName name{"ann", "tag", "call", "7", "no", "192.0.2.1 5060"};
	CU_ASSERT(lately->answered(name, now) == 0);
	lately->remember(name, 200, now);
	BMD_EQUAL(lately->answered(name, now + 31 * bmd::second_us), 200);
	BMD_EQUAL(lately->answered(name, now + 32 * bmd::second_us), 0);
	for(const RequestName &other : {RequestName{"ben", "tag", "call", "7", "no", "192.0.2.1 5060"},
				RequestName{"ann", "tah", "call", "7", "no", "192.0.2.1 5060"},
				RequestName{"ann", "tag", "calk", "7", "no", "192.0.2.1 5060"},
				RequestName{"ann", "tag", "call", "8", "no", "192.0.2.1 5060"},
				RequestName{"ann", "tag", "call", "7", "ok", "192.0.2.1 5060"},
				RequestName{"ann", "tagc", "all", "7", "no", "192.0.2.1 5060"},
				RequestName{"ann", "tag", "call7", "", "no", "192.0.2.1 5060"},
				RequestName{"ann", "tag", "call", "7", "no", "192.0.2.1 5061"}})
		CU_ASSERT(lately->answered(other, now) == 0);
}

CU_TestInfo cases[] = {BMD_CASE(a_budget_is_each_persons_own_and_comes_back_with_the_minute),
		BMD_CASE(the_last_four_answers_of_a_person_are_known_and_the_same_again_is_one),
		BMD_CASE(the_same_request_from_the_same_place_is_known_for_32_s_and_any_other_is_new),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo dmp_memory_suite;
const CU_SuiteInfo dmp_memory_suite = BMD_SUITE("dmp_memory", cases);
