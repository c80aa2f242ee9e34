/// @file credentials_test.cpp  Unit tests of what people's digests are checked with.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "credentials.hpp"

#include <string>

#include "suites.hpp"

namespace {

class SmallStore
{
public:
	SmallStore()
	{
		bmd::Limits limits;
		limits.devices = limits.feeds = limits.members = 4;
		limits.journal_bytes = 1U << 16;
		limits.alert_events = limits.changes = limits.subscriptions = 16;
		std::size_t needed = 0;
		CU_ASSERT(bmd::create_store(limits, needed) != nullptr);
	}
	SmallStore(const SmallStore &) = delete;
	SmallStore &operator=(const SmallStore &) = delete;
	~SmallStore() { bmd::release_store(); }
};

const std::string ones(32, '1'), twos(32, '2'), threes(32, '3');

void a_credential_is_found_changed_and_swept()
{
	const SmallStore store;
	bmd::RegistryWrite lock;
	CU_ASSERT(bmd::put_credential("ann", twos, threes, 1));
	CU_ASSERT(bmd::put_credential("bob", threes, threes, 1));
	CU_ASSERT(bmd::put_credential("ann", ones, twos, 2));
	CU_ASSERT(bmd::find_digest("ann", false) == ones);
	CU_ASSERT(bmd::find_digest("ann", true) == twos);
	bmd::sweep_credentials({}, 2, lock);
	CU_ASSERT(bmd::find_credential("bob") == nullptr);
	CU_ASSERT(bmd::find_credential("") == nullptr);
	bmd::sweep_credentials("ann", 3, lock);
	CU_ASSERT(bmd::find_credential("ann") == nullptr);
}

void credentials_that_find_no_room_are_said_so()
{
	const SmallStore store;
	bmd::RegistryWrite lock;
	for(const char *name : {"a", "b", "c", "d"})
		CU_ASSERT(bmd::put_credential(name, ones, twos, 1));
	CU_ASSERT(!bmd::put_credential("e", ones, twos, 1));
	CU_ASSERT(!bmd::put_credential(std::string(32, 'n'), ones, twos, 1));
}

void what_is_no_digest_lets_nobody_in()
{
	const SmallStore store;
	bmd::RegistryWrite lock;
	for(const std::string &bad : {std::string(), std::string(31, 'f'), std::string(33, 'f'),
				std::string(32, 'g'), std::string(32, '\0')}) {
		CU_ASSERT(bmd::put_credential("ann", ones, twos, 1));
		CU_ASSERT(bmd::put_credential("ann", bad, twos, 1));
		CU_ASSERT(bmd::find_digest("ann", false).empty() && bmd::find_digest("ann", true) == twos);
		CU_ASSERT(bmd::put_credential("ann", ones, bad, 1));
		CU_ASSERT(bmd::find_digest("ann", false) == ones && bmd::find_digest("ann", true).empty());
	}
	CU_ASSERT(bmd::find_digest("eve", false).empty());
}

CU_TestInfo cases[] = {BMD_CASE(a_credential_is_found_changed_and_swept),
		BMD_CASE(credentials_that_find_no_room_are_said_so),
		BMD_CASE(what_is_no_digest_lets_nobody_in), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo credentials_suite;
const CU_SuiteInfo credentials_suite = BMD_SUITE("credentials", cases);
