/// @file request_check_test.cpp  Unit tests for modules/bmd/request_check.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "request_check.hpp"

#include <string>

#include "suites.hpp"

namespace {

void a_report_is_taken_whatever_the_order_of_its_members()
{
	for(const char *text : {
				R"({"jsonrpc":"2.0","id":1,"method":"bmd.report","params":["OX-1 SpO2=97"]})",
				R"( {"params":["c","1","2","t"],"id":"x","method":"bmd.report","jsonrpc":"2.0"} )",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":["\u0041\n"]})"})
		CU_ASSERT(bmd::check_report_request(text).ok());
}

void anything_else_is_refused()
{
	for(const char *text : {"", "{", "[]", "null", "7", R"({"jsonrpc":"2.0"})",
				R"({"method":"bmd.report","params":["a"]})",
				R"({"jsonrpc":"1.0","method":"bmd.report","params":["a"]})",
				R"({"jsonrpc":"2.0","method":"core.kill","params":["a"]})",
				R"({"jsonrpc":"2.0","method":"bmd.report","method":"core.kill","params":["a"]})",
				R"({"jsonrpc":"2.0","method":"bmd.report","\u006dethod":"core.kill","params":["a"]})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":null})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":7})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":[]})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":["a","b"]})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":["c",1,2,"t"]})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":["c","1","1.5",1.5]})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":{"a":"b"}})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":[["a"]]})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":["a"],"x":1})",
				R"({"jsonrpc":"2.0","method":"bmd.report","params":["a"]} x)",
				R"([{"jsonrpc":"2.0","method":"bmd.report","params":["a"]}])"})
		CU_ASSERT(!bmd::check_report_request(text).ok());
}

void a_batch_of_another_collector_is_denied()
{
	const std::string before = R"({"jsonrpc":"2.0","method":"bmd.report","params":[)";
	const auto denied = [&](const std::string &params) {
		const auto checked = bmd::check_report_request(before + params + "]}", "home-1");
		return !checked && checked.error().code == bmd::Errc::denied;
	};
	CU_ASSERT(bmd::check_report_request(before + R"("home-1","1","2","t"]})", "home-1").ok());
	for(const char *params : {R"("home-2","1","2","t")", R"("home-1x","1","2","t")",
				R"("Home-1","1","2","t")", R"("","1","2","t")", R"("home-1\u0000","1","2","t")",
				R"("home-2","home-1","2","t")", R"("OX-1 SpO2=97")", R"("home-1")"})
		CU_ASSERT(denied(params));
}

void a_million_brackets_are_refused_without_recursion()
{
	const std::string head = R"({"jsonrpc":"2.0","method":"bmd.report","params":)";
	CU_ASSERT(!bmd::check_report_request(head + std::string(1'000'000, '[')).ok());
	CU_ASSERT(!bmd::check_report_request(std::string(1'000'000, '{')).ok());
}

CU_TestInfo cases[] = {BMD_CASE(a_report_is_taken_whatever_the_order_of_its_members),
		BMD_CASE(anything_else_is_refused), BMD_CASE(a_batch_of_another_collector_is_denied),
		BMD_CASE(a_million_brackets_are_refused_without_recursion), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo request_check_suite;
const CU_SuiteInfo request_check_suite = BMD_SUITE("request_check", cases);
