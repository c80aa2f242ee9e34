/// @file dmp_control_test.cpp  Unit tests for bmd/dmp_control.hpp and for readings in a
/// QueryResponse. SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp_control.hpp"

#include <sstream>

#include "dmp_samples.hpp"
#include "suites.hpp"
#include "tsv.hpp"

namespace {

using namespace bmd::dmp;
using bmd_test::reason_of;

// "accept K7FQP", or the ResultCode and the reason.
std::string shown(const Control &control)
{
	const auto read = read_alert_control(control);
	if(const auto *const refusal = std::get_if<Refusal>(&read))
		return std::string(result_text(refusal->code)) + ": " + refusal->reason;
	const auto &taken = std::get<AlertControl>(read);
	return std::string(to_string(taken.act)) + '|' + std::string(taken.alert) + '|'
		   + std::string(to_string(taken.outcome)) + '|' + std::to_string(taken.seconds) + '|'
		   + std::string(taken.why);
}

void every_row_of_control_cases_holds()
{
	for(const auto &row : bmd_test::read_tsv("control_cases.tsv")) {
		Control control;
		std::istringstream words(row.cells[0]);
		std::getline(words, control.action, '|');
		for(std::string word; std::getline(words, word, '|');)
			control.arguments.push_back(word);
		const std::string got = shown(control);
		const bool holds = got.find(row.cells[1]) != std::string::npos;
		BMD_EQUAL(row.cells[0] + " -> " + (holds ? row.cells[1] : got),
				row.cells[0] + " -> " + row.cells[1]);
	}
}

void statuses_become_result_codes()
{
	BMD_EQUAL(result_text(result_of(200)), "200 OK");
	BMD_EQUAL(result_text(result_of(400)), "400 Bad value");
	BMD_EQUAL(result_text(result_of(403)), "403 Forbidden");
	BMD_EQUAL(result_text(result_of(404)), "404 Unknown alert");
	BMD_EQUAL(result_text(result_of(409)), "409 Conflict");
	for(const int status : {0, 201, 500, 503, -1})
		BMD_EQUAL(result_number(result_of(status)), 500);
}

Document response_of(Entry entry)
{
	Document document;
	document.devices.push_back({"OX-1", {std::move(entry)}});
	return document;
}

void a_response_is_read_back_whole()
{
	const Entry entry =
			control_response("accept", "K7FQP", ResultCode::conflict, "accepted by <ben> already");
	const auto read = parse(write(response_of(entry)));
	BMD_EQUAL(reason_of(read), "");
	const auto result =
			read_control_response(std::get<ControlResponse>(read->devices[0].entries[0]));
	BMD_EQUAL(result.action, "accept");
	BMD_EQUAL(result.alert, "K7FQP");
	BMD_EQUAL(result.result, "409 Conflict");
	BMD_EQUAL(result.status, 409);
	BMD_EQUAL(result.reason, "accepted by <ben> already");
}

QueryResponse two_metrics()
{
	QueryResponse query;
	query.items.push_back({"SpO2", {"84"}, {"200 OK"},
			MetricState{"%", "low", "2026-11-21T03:00:00.000000Z", "90", ""}});
	query.items.push_back({"location", {"bedroom"}, {"200 OK"}, std::nullopt});
	query.items.push_back({"Leak", {""}, {"408 No answer"}, MetricState{}});
	return query;
}

void readings_of_a_query_are_read_back_where_they_belong()
{
	const auto read = parse(write(response_of(two_metrics())));
	BMD_EQUAL(reason_of(read), "");
	if(read)
		CU_ASSERT(std::get<QueryResponse>(read->devices[0].entries[0]) == two_metrics());
}

void a_reading_that_is_wrong_or_out_of_place_is_refused_with_its_line()
{
	const std::string text = write(response_of(two_metrics()));
	const auto reason = [&](const std::string &from, const std::string &to) {
		return reason_of(parse(bmd_test::replaced(text, from, to)));
	};
	CU_ASSERT(reason("low=\"90\"", "low=\"soon\"").find("bmd:reading: line 2") == 0);
	CU_ASSERT(reason("measured=\"2026", "measured=\"x2026").find("line 2") != std::string::npos);
	CU_ASSERT(reason("<QueryResponse>", "<QueryResponse><bmd:reading/>")
					  .find("belongs to no Variable")
			  != std::string::npos);
	CU_ASSERT(reason("<Value>84</Value>", "<Value>84</Value><bmd:reading/>")
					  .find("belongs to no Variable")
			  != std::string::npos);
}

CU_TestInfo cases[] = {BMD_CASE(every_row_of_control_cases_holds),
		BMD_CASE(statuses_become_result_codes), BMD_CASE(a_response_is_read_back_whole),
		BMD_CASE(readings_of_a_query_are_read_back_where_they_belong),
		BMD_CASE(a_reading_that_is_wrong_or_out_of_place_is_refused_with_its_line),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo dmp_control_suite;
const CU_SuiteInfo dmp_control_suite = BMD_SUITE("dmp_control", cases);
