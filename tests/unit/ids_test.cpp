/// @file ids_test.cpp  Unit tests for bmd/ids.hpp and bmd/time.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/ids.hpp"

#include "suites.hpp"

namespace {

constexpr bmd::TimeUs onset = 1'763'690'000'123'456;

void the_same_alert_always_has_the_same_id()
{
	const auto id = bmd::derive_alert_id("OX-1", 1, bmd::Condition::low, onset);
	CU_ASSERT(id == bmd::derive_alert_id("OX-1", 1, bmd::Condition::low, onset));
	CU_ASSERT(id != bmd::derive_alert_id("OX-2", 1, bmd::Condition::low, onset));
	CU_ASSERT(id != bmd::derive_alert_id("OX-1", 2, bmd::Condition::low, onset));
	CU_ASSERT(id != bmd::derive_alert_id("OX-1", 1, bmd::Condition::high, onset));
	CU_ASSERT(id != bmd::derive_alert_id("OX-1", 1, bmd::Condition::low, onset + 1));
	// stored ids must stay what they are for ever
	BMD_EQUAL(bmd::to_string(id), std::string("45c08067-b7e2-889d-b39c-c83065a28c23"));
}

void a_uuid_reads_back_and_nonsense_does_not()
{
	const auto id = bmd::derive_alert_id("OX-1", 1, bmd::Condition::low, onset);
	const auto read = bmd::parse_uuid(bmd::to_string(id));
	CU_ASSERT(read && *read == id);
	CU_ASSERT(!bmd::parse_uuid(""));
	CU_ASSERT(!bmd::parse_uuid("0123456789abcdef0123456789abcdef0123"));
	CU_ASSERT(!bmd::parse_uuid("01234567-89ab-8def-8123-456789abcdeg"));
}

void times_are_written_as_rfc_3339_and_read_back()
{
	BMD_EQUAL(bmd::format_time(onset), std::string("2025-11-21T01:53:20.123456Z"));
	BMD_EQUAL(bmd::format_time(0), std::string("1970-01-01T00:00:00.000000Z"));
	BMD_EQUAL(bmd::format_time(951'782'400'000'000), std::string("2000-02-29T00:00:00.000000Z"));
	for(const char *text : {"2025-11-21T01:53:20.123456Z", "2025-11-21T02:53:20.123456+01:00",
				"2025-11-20T20:23:20.123456999-05:30"}) {
		const auto read = bmd::parse_time(text);
		CU_ASSERT(read.ok());
		if(read)
			BMD_EQUAL(*read, onset);
	}
}

void what_is_no_time_is_refused()
{
	for(const char *text : {"", "now", "2025-11-21", "2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z",
				"2025-11-21T24:00:00Z", "2025-11-21T01:53:20", "2025-11-21T01:53:20.Z",
				"2025-11-21T01:53:20.1234567890Z", "2025-11-21 01:53:20Z",
				"2025-11-21T01:53:20+0100"})
		CU_ASSERT(!bmd::parse_time(text).ok());
}

CU_TestInfo cases[] = {BMD_CASE(the_same_alert_always_has_the_same_id),
		BMD_CASE(a_uuid_reads_back_and_nonsense_does_not),
		BMD_CASE(times_are_written_as_rfc_3339_and_read_back), BMD_CASE(what_is_no_time_is_refused),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo ids_suite;
const CU_SuiteInfo ids_suite = BMD_SUITE("ids", cases);
