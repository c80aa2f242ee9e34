/// @file teller_test.cpp  Unit tests of the order in which a notifier tells.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Real store, book and notifier.

#include <algorithm>

#include "ward.hpp"

namespace {

using namespace bmd_test;

constexpr int many = 80; // more than are told without a look at what came meanwhile

// What a pass sends when an alert concerns so many terminals, and one of D1, at priority `other`,
// begins with the second of these documents: names of the feeds, in order.
std::vector<std::string> order(
		bmd::Priority wide, bmd::Priority other, std::size_t terminals = many)
{
	Ward ward;
	for(std::size_t i = 0; i < terminals; ++i)
		ward.subscribe("ann", "grp.ward");
	ward.subscribe("ann", "dev.D1");
	int sent = 0;
	ward.on_send = [&] {
		if(++sent == 2)
			(void)Ward::raise("D1", other);
	};
	(void)Ward::raise("D0", wide);
	const std::string all = ward.pass();
	std::vector<std::string> feeds;
	for(std::size_t at = 0; at < all.size(); at = std::min(all.find("; ", at), all.size() - 2) + 2)
		feeds.push_back(all.substr(at, all.find(' ', at) - at));
	BMD_EQUAL(feeds.size(), terminals + 1U);
	return feeds;
}

std::ptrdiff_t place_of_the_other(bmd::Priority wide, bmd::Priority other)
{
	const std::vector<std::string> feeds = order(wide, other);
	return std::ranges::find(feeds, "dev.D1") - feeds.begin();
}

void what_is_urgent_does_not_wait_for_a_wide_alert_of_less_priority()
{
	CU_ASSERT(place_of_the_other(bmd::Priority::medium, bmd::Priority::high) <= 6);
}

void what_is_urgent_does_not_wait_for_a_wide_alert_that_is_urgent_too()
{
	CU_ASSERT(place_of_the_other(bmd::Priority::high, bmd::Priority::high) <= 6);
}

void what_is_urgent_waits_for_a_few_terminals_that_were_first()
{
	constexpr std::ptrdiff_t few = 12;
	const std::vector<std::string> feeds = order(bmd::Priority::high, bmd::Priority::high, few);
	BMD_EQUAL(std::ranges::find(feeds, "dev.D1") - feeds.begin(), few);
}

void what_is_not_urgent_waits()
{
	BMD_EQUAL(place_of_the_other(bmd::Priority::high, bmd::Priority::medium), many);
	BMD_EQUAL(place_of_the_other(bmd::Priority::medium, bmd::Priority::medium), many);
}

void who_has_waited_longest_is_told_first()
{
	Ward ward;
	ward.subscribe("ann", "dev.D0");
	ward.subscribe("ann", "dev.D1");
	(void)Ward::raise("D1", bmd::Priority::high);
	(void)Ward::raise("D0", bmd::Priority::high);
	const std::string all = ward.pass();
	CU_ASSERT(all.find("dev.D1") < all.find("dev.D0"));
	CU_ASSERT(all.find("dev.D0") != std::string::npos);
}

void a_wide_urgent_alert_comes_to_its_end_however_much_else_is_urgent()
{
	Ward ward;
	for(int i = 0; i < many; ++i)
		ward.subscribe("ann", "grp.ward");
	ward.subscribe("ann", "dev.D1");
	int wide = 0;
	int sent = 0;
	bmd::Index other = 0;
	ward.on_send = [&] { // there is always one more
		if(++sent > 200)
			return;
		const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
		const bmd::Index device = bmd::find_device("D1");
		const std::lock_guard<bmd::Mutex> stripe(bmd::store()->stripe[device % bmd::stripes]);
		if(other == 0)
			return;
		bmd::record_change(bmd::store()->alerts[other], "updated", {}, bmd::wall_now());
	};
	other = Ward::raise("D1", bmd::Priority::high);
	(void)Ward::raise("D0", bmd::Priority::high);
	const std::string all = ward.pass();
	for(std::size_t at = all.find("grp.ward"); at != std::string::npos;
			at = all.find("grp.ward", at + 1))
		++wide;
	BMD_EQUAL(wide, many);
	const std::size_t last = all.rfind("grp.ward");
	CU_ASSERT(std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(last), ';')
			  < 2 * many);
}

CU_TestInfo cases[] = {BMD_CASE(what_is_urgent_does_not_wait_for_a_wide_alert_of_less_priority),
		BMD_CASE(what_is_urgent_does_not_wait_for_a_wide_alert_that_is_urgent_too),
		BMD_CASE(what_is_urgent_waits_for_a_few_terminals_that_were_first),
		BMD_CASE(what_is_not_urgent_waits), BMD_CASE(who_has_waited_longest_is_told_first),
		BMD_CASE(a_wide_urgent_alert_comes_to_its_end_however_much_else_is_urgent),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo teller_suite;
const CU_SuiteInfo teller_suite = BMD_SUITE("teller", cases);
