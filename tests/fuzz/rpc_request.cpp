/// @file rpc_request.cpp  Fuzz target: the body of an HTTP request, before Kamailio's own parser.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <nlohmann/json.hpp>

#include "fuzz.hpp"
#include "request_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const std::string_view body = fuzz::text(data, size);
	const auto checked = bmd::check_report_request(body);
	if(!checked) {
		fuzz::require_reason(checked.error().reason);
		return 0;
	}
	// what passes is what an independent reader takes for the same call
	const auto request = nlohmann::json::parse(body, nullptr, false);
	fuzz::require(request.is_object() && request.value("method", "") == "bmd.report",
			"only calls of bmd.report pass");
	const auto &params = request["params"];
	fuzz::require(params.is_array() && (params.size() == 1 || params.size() == 4),
			"params has 1 or 4 members");
	for(const auto &one : params)
		fuzz::require(one.is_string(), "params are strings");
	return 0;
}
