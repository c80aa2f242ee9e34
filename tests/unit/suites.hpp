/// @file suites.hpp  What every unit test file needs of CUnit.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A file NAME_test.cpp defines `extern const CU_SuiteInfo NAME_suite`; the runner finds it by
/// name. No CU_*_FATAL in C++: it jumps past destructors.

#pragma once

#include <CUnit/CUnit.h>

/// One test case: its name is the sentence it proves.
#define BMD_CASE(function)  \
	CU_TestInfo             \
	{                       \
#function, function \
	}
/// A suite without set-up and tear-down.
#define BMD_SUITE(name, cases)                          \
	CU_SuiteInfo                                        \
	{                                                   \
		name, nullptr, nullptr, nullptr, nullptr, cases \
	}
/// Compares and, when they differ, leaves both values in the log.
#define BMD_EQUAL(actual, expected) \
	bmd_test::check_equal(actual, expected, #actual, __FILE__, __LINE__)

#include <iostream>
#include <sstream>

namespace bmd_test {

template <class A, class B>
void check_equal(const A &actual, const B &expected, const char *what, const char *file, int line)
{
	const bool equal = actual == expected;
	if(!equal) {
		std::ostringstream out;
		out << "    " << what << " is [" << actual << "], expected [" << expected << "]\n";
		std::cout << out.str();
	}
	CU_assertImplementation(
			equal ? CU_TRUE : CU_FALSE, static_cast<unsigned>(line), what, file, "", CU_FALSE);
}

/// Folder of the test data, from the environment (BMD_TEST_DATA) or "tests/data".
[[nodiscard]] std::string data_path(const std::string &name);

} // namespace bmd_test
