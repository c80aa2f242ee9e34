/// @file words_test.cpp  Unit tests for bmd/words.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/words.hpp"

#include <string>

#include "suites.hpp"

namespace {

using namespace std::string_view_literals;

void words_of_every_script_are_taken()
{
	for(const auto text : {""sv, "carol"sv, "M\303\274ller, \346\261\237 \360\237\221\215"sv,
				"\357\277\275 \364\217\277\277"sv, "a\302\240b"sv})
		CU_ASSERT(bmd::valid_words(text, 31));
}

void what_the_database_or_a_terminal_cannot_carry_is_refused()
{
	for(const auto text : {"M\374ller"sv, "a\0b"sv, "a\nb"sv, "\033[31m"sv, "\177"sv, "\302\205"sv,
				"\300\257"sv, "\355\240\200"sv, "\340\200\257"sv, "\364\220\200\200"sv, "\303"sv,
				"\357\277\277"sv, "\360\237\221"sv, "\200"sv, "\377"sv})
		CU_ASSERT(!bmd::valid_words(text, 31));
}

void length_counts_bytes()
{
	CU_ASSERT(bmd::valid_words("\303\274\303\274", 4));
	CU_ASSERT(!bmd::valid_words("\303\274\303\274", 3));
}

void any_bytes_can_be_mended()
{
	char text[] = "M\374ller\t\303\274 \360\237\221";
	bmd::mend_words(text);
	BMD_EQUAL(std::string(text), "M?ller?\303\274 ???");
	for(int first = 1; first < 256; ++first)
		for(int second = 1; second < 256; ++second) {
			char any[] = {static_cast<char>(first), static_cast<char>(second), 0};
			bmd::mend_words(any);
			CU_ASSERT(bmd::valid_words(any, 2));
		}
}

void what_a_reason_repeats_is_one_line_of_ascii()
{
	BMD_EQUAL(bmd::quoted("a b"), "'a b'");
	BMD_EQUAL(bmd::quoted("a\nb\303\274"), "'a?b?\?'");
	BMD_EQUAL(bmd::quoted("abcdef", 3), "'abc...'");
	BMD_EQUAL(bmd::quoted(""), "''");
}

CU_TestInfo cases[] = {BMD_CASE(words_of_every_script_are_taken),
		BMD_CASE(what_the_database_or_a_terminal_cannot_carry_is_refused),
		BMD_CASE(length_counts_bytes), BMD_CASE(any_bytes_can_be_mended),
		BMD_CASE(what_a_reason_repeats_is_one_line_of_ascii), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo words_suite;
const CU_SuiteInfo words_suite = BMD_SUITE("words", cases);
