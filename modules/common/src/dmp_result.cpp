/// @file dmp_result.cpp  The result codes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp.hpp"

#include <array>

namespace bmd::dmp {

namespace {

struct Row
{
	ResultCode code;
	int number;
	std::string_view text;
};

constexpr std::array<Row, 13> rows{{{ResultCode::ok, 200, "200 OK"},
		{ResultCode::accepted, 202, "202 Accepted"}, {ResultCode::bad_value, 400, "400 Bad value"},
		{ResultCode::forbidden, 403, "403 Forbidden"},
		{ResultCode::unknown_device, 404, "404 Unknown device"},
		{ResultCode::unknown_variable, 404, "404 Unknown variable"},
		{ResultCode::unknown_action, 404, "404 Unknown action"},
		{ResultCode::unknown_alert, 404, "404 Unknown alert"},
		{ResultCode::no_answer, 408, "408 No answer"}, {ResultCode::conflict, 409, "409 Conflict"},
		{ResultCode::too_long, 413, "413 Ask for less, or by TCP"},
		{ResultCode::failed, 500, "500 Server error"},
		{ResultCode::not_supported, 501, "501 Not supported"}}};

const Row *find(ResultCode code) noexcept
{
	for(const Row &row : rows)
		if(row.code == code)
			return &row;
	return nullptr;
}

} // namespace

std::string_view result_text(ResultCode code) noexcept
{
	const Row *const row = find(code);
	return row != nullptr ? row->text : "?";
}

int result_number(ResultCode code) noexcept
{
	const Row *const row = find(code);
	return row != nullptr ? row->number : 0;
}

std::optional<ResultCode> parse_result_code(std::string_view text) noexcept
{
	for(const Row &row : rows)
		if(row.text == text)
			return row.code;
	return std::nullopt;
}

} // namespace bmd::dmp
