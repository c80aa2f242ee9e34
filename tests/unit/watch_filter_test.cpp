/// @file watch_filter_test.cpp  Unit tests of the filters that bmd-watch asks for.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <cstdio>
#include <fstream>
#include <unistd.h>

#include "bmd/dmp_filter.hpp"
#include "filter_body.hpp"
#include "suites.hpp"

namespace {

using bmd::watch::filter_body;
using bmd::watch::FilterOptions;

constexpr bmd::TimeUs now = 1'795'000'000 * bmd::second_us;

std::string body_of(const FilterOptions &options)
{
	const auto body = filter_body(options, now);
	return body ? *body : body.error().reason;
}

// The Variables, each with its Events and its Duration.
std::string asked(const FilterOptions &options)
{
	const auto document = bmd::dmp::parse(body_of(options));
	CU_ASSERT(document.ok());
	if(!document)
		return "?";
	std::string text = document->attributes.urgent_filtered ? "! " : "";
	for(const auto &item : std::get<bmd::dmp::Subscribe>(document->devices[0].entries[0]).items)
		text += item.events[0] + " (" + item.duration + ") ";
	return text;
}

void without_options_there_is_no_body()
{
	BMD_EQUAL(body_of({}), "");
}

void what_is_given_must_all_hold_beside_one_of_the_events()
{
	FilterOptions options;
	options.area = "north";
	options.priority = "medium";
	BMD_EQUAL(asked(options), "priority >= medium and area = \"north\" (always) ");
	options.events = {"SpO2 < 85", "invalid @ PT1H"};
	BMD_EQUAL(asked(options), "priority >= medium and area = \"north\" and SpO2 < 85 (always) "
							  "priority >= medium and area = \"north\" and invalid ("
									  + bmd::format_time(now + 3600 * bmd::second_us) + ") ");
	FilterOptions all;
	all.kind = "technical";
	all.type = "Nonin oximeter";
	all.group = "ward";
	all.rule = "night";
	all.urgent_too = true;
	BMD_EQUAL(asked(all),
			"! kind = technical and type = \"Nonin oximeter\" and group = \"ward\" and rule "
			"\"night\" (always) ");
}

void a_file_is_read_and_its_durations_count_from_now()
{
	char name[] = "/tmp/bmd-filter-XXXXXX";
	const int fd = mkstemp(name);
	CU_ASSERT(fd >= 0);
	close(fd);
	std::ofstream(name) << "<DMPAction><Device>OX-1</Device><Subscribe><Variable>SpO2</Variable>"
						   "<Event>low</Event><Duration>PT1H</Duration></Subscribe></DMPAction>";
	FilterOptions options;
	options.file = name;
	BMD_EQUAL(asked(options), "low (" + bmd::format_time(now + 3600 * bmd::second_us) + ") ");
	std::ofstream(name) << "no document";
	CU_ASSERT(body_of(options).starts_with(name));
	std::remove(name);
	CU_ASSERT(body_of(options).starts_with("cannot read the filter"));
}

void what_cannot_be_understood_is_said_before_anything_is_sent()
{
	FilterOptions options;
	options.events = {"sometimes"};
	CU_ASSERT(body_of(options).find("filter: Subscribe 1, Variable 1: Event 1: 'sometimes'") == 0);
	options.events = {"low @ soon"};
	CU_ASSERT(body_of(options).find("Duration") != std::string::npos);
}

CU_TestInfo cases[] = {BMD_CASE(without_options_there_is_no_body),
		BMD_CASE(what_is_given_must_all_hold_beside_one_of_the_events),
		BMD_CASE(a_file_is_read_and_its_durations_count_from_now),
		BMD_CASE(what_cannot_be_understood_is_said_before_anything_is_sent), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo watch_filter_suite;
const CU_SuiteInfo watch_filter_suite = BMD_SUITE("watch_filter", cases);
