/// @file main.cpp  Runs every unit test suite; exit 1 when a case fails.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Prints "ok SUITE: case" or "not ok SUITE: case" a line, then the totals.

#include <CUnit/Basic.h>
#include <cstdlib>
#include <iostream>
#include <string>

#include "suites.hpp"

// suites.inc is written by make: SUITE(name) for each file name_test.cpp.
#define SUITE(name) extern const CU_SuiteInfo name##_suite;
#include "suites.inc"
#undef SUITE

namespace bmd_test {

std::string data_path(const std::string &name)
{
	const char *folder = std::getenv("BMD_TEST_DATA");
	return std::string(folder != nullptr ? folder : "tests/data") + "/" + name;
}

} // namespace bmd_test

namespace {

unsigned passed = 0;
unsigned failed = 0;

void report(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure)
{
	std::string name = test->pName;
	for(char &c : name)
		c = c == '_' ? ' ' : c;
	std::cout << (failure == nullptr ? "ok " : "not ok ") << suite->pName << ": " << name << '\n';
	for(CU_pFailureRecord f = failure; f != nullptr && f->pTest == test; f = f->pNext)
		std::cout << "    " << f->strFileName << ":" << f->uiLineNumber << ": " << f->strCondition
				  << '\n';
	++(failure == nullptr ? passed : failed);
}

} // namespace

int main(int argc, char **argv)
{
	CU_SuiteInfo suites[] = {
#define SUITE(name) name##_suite,
#include "suites.inc"
#undef SUITE
			CU_SUITE_INFO_NULL};
	if(CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) {
		std::cerr << "unit tests: CUnit: " << CU_get_error_msg() << '\n';
		return 2;
	}
	CU_set_test_complete_handler(report);
	if(argc > 1) {
		CU_pSuite suite = CU_get_suite(argv[1]);
		if(suite == nullptr) {
			std::cerr << "unit tests: there is no suite " << argv[1] << '\n';
			return 2;
		}
		CU_run_suite(suite);
	} else {
		CU_run_all_tests();
	}
	CU_cleanup_registry();
	std::cout << "# unit: " << passed << " passed, " << failed << " failed" << std::endl;
	return failed == 0 && passed > 0 ? 0 : 1;
}
