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

using bmd::DigestAlgorithm::md5;
using bmd::DigestAlgorithm::sha256;

const std::string ones(32, '1'), twos(32, '2'), threes(32, '3');
const std::string fours(64, '4'), fives(64, '5');

void a_credential_is_found_changed_and_swept()
{
	const SmallStore store;
	bmd::RegistryWrite lock;
	CU_ASSERT(bmd::put_credential("ann", {twos, threes, fours, fives}, 1));
	CU_ASSERT(bmd::put_credential("bob", {threes, threes, fours, fours}, 1));
	CU_ASSERT(bmd::put_credential("ann", {ones, twos, fives, fours}, 2));
	CU_ASSERT(bmd::find_digest("ann", false, md5) == ones);
	CU_ASSERT(bmd::find_digest("ann", true, md5) == twos);
	CU_ASSERT(bmd::find_digest("ann", false, sha256) == fives);
	CU_ASSERT(bmd::find_digest("ann", true, sha256) == fours);
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
		CU_ASSERT(bmd::put_credential(name, {ones, twos, fours, fives}, 1));
	CU_ASSERT(!bmd::put_credential("e", {ones, twos, fours, fives}, 1));
	CU_ASSERT(!bmd::put_credential(std::string(32, 'n'), {ones, twos, fours, fives}, 1));
}

void what_is_no_digest_lets_nobody_in()
{
	const SmallStore store;
	bmd::RegistryWrite lock;
	for(const std::string &bad : {std::string(), std::string(31, 'f'), std::string(33, 'f'),
				std::string(32, 'g'), std::string(32, '\0')}) {
		CU_ASSERT(bmd::put_credential("ann", {bad, twos, fours, fives}, 1));
		CU_ASSERT(bmd::find_digest("ann", false, md5).empty());
		CU_ASSERT(bmd::find_digest("ann", true, md5) == twos);
		CU_ASSERT(bmd::put_credential("ann", {ones, bad, fours, fives}, 1));
		CU_ASSERT(bmd::find_digest("ann", false, md5) == ones);
		CU_ASSERT(bmd::find_digest("ann", true, md5).empty());
	}
	CU_ASSERT(bmd::find_digest("eve", false, md5).empty());
}

void a_digest_of_one_algorithm_is_none_of_the_other()
{
	const SmallStore store;
	bmd::RegistryWrite lock;
	CU_ASSERT(bmd::put_credential("ann", {fours, fives, ones, twos}, 1));
	for(const auto algorithm : {md5, sha256})
		for(const bool with_domain : {false, true})
			CU_ASSERT(bmd::find_digest("ann", with_domain, algorithm).empty());
	// as whoever has a password from before SHA-256
	CU_ASSERT(bmd::put_credential("bob", {ones, twos, "", ""}, 1));
	CU_ASSERT(bmd::find_digest("bob", false, md5) == ones);
	CU_ASSERT(bmd::find_digest("bob", false, sha256).empty());
}

CU_TestInfo cases[] = {BMD_CASE(a_credential_is_found_changed_and_swept),
		BMD_CASE(credentials_that_find_no_room_are_said_so),
		BMD_CASE(what_is_no_digest_lets_nobody_in),
		BMD_CASE(a_digest_of_one_algorithm_is_none_of_the_other), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo credentials_suite;
const CU_SuiteInfo credentials_suite = BMD_SUITE("credentials", cases);
