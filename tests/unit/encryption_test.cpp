/// @file encryption_test.cpp  Unit tests for modules/bmd/encryption.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "encryption.hpp"

#include "bed.hpp"
#include "bmd_core_encryption.h"

namespace {

using bmd::Put;

bmd_encryption how(const std::string &user, std::string &pem)
{
	char buffer[BMD_CERTIFICATE_SIZE];
	const auto result = bmd_core_encryption({user.data(), user.size()}, buffer, sizeof buffer);
	pem = buffer;
	return result;
}

void a_person_is_found_changed_and_swept()
{
	const bmd_test::Bed bed;
	CU_ASSERT(bmd::create_encryption());
	std::string pem;
	std::vector<std::string> gone;
	{
		bmd::RegistryWrite lock;
		CU_ASSERT(bmd::put_encryption("ann", "one", false, 1, lock) == Put::changed);
		CU_ASSERT(bmd::put_encryption("bob", "", true, 1, lock) == Put::changed);
		CU_ASSERT(bmd::put_encryption("ann", "one", false, 2, lock) == Put::same);
	}
	CU_ASSERT(how("ann", pem) == BMD_ENCRYPTED);
	BMD_EQUAL(pem, "one");
	CU_ASSERT(how("bob", pem) == BMD_ENCRYPTED_ONLY);
	BMD_EQUAL(pem, "");
	CU_ASSERT(how("eve", pem) == BMD_PLAIN);
	CU_ASSERT(how("", pem) == BMD_PLAIN);
	{
		bmd::RegistryWrite lock;
		bmd::sweep_encryption({}, 2, gone, lock);
	}
	CU_ASSERT(gone == std::vector<std::string>{"bob"});
	CU_ASSERT(how("bob", pem) == BMD_PLAIN);
	{
		bmd::RegistryWrite lock;
		CU_ASSERT(
				bmd::put_encryption("ann", std::string(7500, 'x'), true, 3, lock) == Put::changed);
		CU_ASSERT(bmd::put_encryption("ann", std::string(7501, 'x'), false, 4, lock)
				  == Put::no_memory);
	}
	CU_ASSERT(how("ann", pem) == BMD_ENCRYPTED_ONLY && pem.size() == 7500);
	bmd::RegistryWrite lock;
	bmd::sweep_encryption("ann", 9, gone, lock);
	CU_ASSERT(gone.back() == "ann");
}

void what_was_withheld_is_counted_for_the_person()
{
	const bmd_test::Bed bed;
	CU_ASSERT(bmd::create_encryption());
	{
		bmd::RegistryWrite lock;
		(void)bmd::put_encryption("ann", "", true, 1, lock);
		(void)bmd::put_encryption("abe", "", true, 1, lock);
	}
	const std::string user = "ann", reason = "the certificate has expired";
	for(int i = 0; i < 2; ++i)
		bmd_core_withheld({user.data(), user.size()}, {reason.data(), reason.size()});
	BMD_EQUAL(bmd::store()->counters[bmd::count_documents_withheld].load(), 2U);
	{
		bmd::RegistryWrite lock; // a change keeps what was counted
		(void)bmd::put_encryption("ann", "pem", true, 2, lock);
	}
	std::vector<bmd_encryption_view> all;
	bmd_core_each_encryption(
			[](const bmd_encryption_view *one, void *list) {
				static_cast<std::vector<bmd_encryption_view> *>(list)->push_back(*one);
			},
			&all);
	CU_ASSERT(all.size() == 2);
	BMD_EQUAL(all.front().user, user);
	BMD_EQUAL(all.front().withheld, 2U);
	CU_ASSERT(all.front().has_certificate == 1 && all.front().last_withheld[0] != '\0');
	CU_ASSERT(all.back().withheld == 0 && all.back().last_withheld[0] == '\0');
	std::vector<std::string> gone;
	bmd::RegistryWrite lock;
	bmd::sweep_encryption({}, 9, gone, lock);
}

CU_TestInfo cases[] = {BMD_CASE(a_person_is_found_changed_and_swept),
		BMD_CASE(what_was_withheld_is_counted_for_the_person), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo encryption_suite;
const CU_SuiteInfo encryption_suite = BMD_SUITE("encryption", cases);
