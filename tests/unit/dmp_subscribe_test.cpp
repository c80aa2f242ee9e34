/// @file dmp_subscribe_test.cpp  Unit tests for bmd/dmp_subscribe.hpp; the rules are tables.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp_subscribe.hpp"

#include "suites.hpp"
#include "tsv.hpp"

namespace {

std::string printed(const bmd::dmp::EventExpr &event)
{
	using Kind = bmd::dmp::EventExpr::Kind;
	std::ostringstream out;
	switch(event.kind) {
		case Kind::comparison:
			out << event.variable << ' ' << bmd::dmp::to_string(event.op) << ' ' << event.number
				<< " [" << event.unit << ']';
			break;
		case Kind::condition:
			out << bmd::to_string(event.condition);
			break;
		case Kind::any:
			out << "any";
			break;
		case Kind::at_least:
			out << "priority >= " << bmd::to_string(event.priority);
			break;
	}
	return out.str();
}

// "row N: ..." so that a failure names its row.
std::string in_row(const bmd_test::Row &row, const std::string &text)
{
	return "row " + std::to_string(row.line) + ": " + text;
}

void check_refused(const bmd_test::Row &row, const bmd::Error &error, const std::string &part)
{
	const bool found = error.reason.find(part) != std::string::npos;
	BMD_EQUAL(in_row(row, found ? part : error.reason), in_row(row, part));
	CU_ASSERT(error.code == bmd::Errc::malformed);
}

void events_mean_what_the_table_says()
{
	for(const auto &row : bmd_test::read_tsv("dmp/event_cases.tsv")) {
		const auto event = bmd::dmp::parse_event(row.cells.at(0));
		if(event)
			BMD_EQUAL(in_row(row, printed(*event)), in_row(row, row.cells.at(1)));
		else if(row.cells.at(1) == "refused")
			check_refused(row, event.error(), row.cells.at(2));
		else
			BMD_EQUAL(in_row(row, event.error().reason), in_row(row, row.cells.at(1)));
	}
}

void durations_end_when_the_table_says()
{
	for(const auto &row : bmd_test::read_tsv("dmp/duration_cases.tsv")) {
		const auto now = bmd::parse_time(row.cells.at(1));
		CU_ASSERT(now.ok());
		if(!now)
			continue;
		const bmd::DurationUs offset = std::stoi(row.cells.at(2)) * 60 * bmd::second_us;
		const auto until = bmd::dmp::parse_duration(row.cells.at(0), *now, offset);
		if(until)
			BMD_EQUAL(in_row(row, bmd::format_time(*until)), in_row(row, row.cells.at(3)));
		else if(row.cells.at(3) == "refused")
			check_refused(row, until.error(), row.cells.at(4));
		else
			BMD_EQUAL(in_row(row, until.error().reason), in_row(row, row.cells.at(3)));
	}
}

CU_TestInfo cases[] = {BMD_CASE(events_mean_what_the_table_says),
		BMD_CASE(durations_end_when_the_table_says), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo dmp_subscribe_suite;
const CU_SuiteInfo dmp_subscribe_suite = BMD_SUITE("dmp_subscribe", cases);
