/// @file dmp_control.cpp  The words of a DMP Control that answers an alert.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp_control.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "bmd/code.hpp"
#include "bmd/ids.hpp"

namespace bmd::dmp {

namespace {

constexpr long most_seconds = 86'400;
constexpr std::size_t most_name = 31;
constexpr std::size_t most_feed = 39;

// Actions of the profile that need what does not exist yet.
constexpr std::array<std::string_view, 4> later{
		"call-patient", "set", "alarm-silence", "self-test"};

bool of_people(Act act) noexcept
{
	return act != Act::deliver && act != Act::escalate && act != Act::hand_back;
}

Refusal bad(std::string reason)
{
	return {ResultCode::bad_value, std::move(reason)};
}

std::optional<long> seconds_of(std::string_view text) noexcept
{
	long number = -1;
	const char *const end = text.data() + text.size();
	const auto [stop, error] = std::from_chars(text.data(), end, number);
	const bool good = error == std::errc{} && stop == end && number >= 0 && number <= most_seconds;
	return good ? std::optional(number) : std::nullopt;
}

std::optional<Refusal> read_arguments(const Control &control, AlertControl &read)
{
	const auto &arguments = control.arguments;
	const bool has_detail = read.act == Act::resolve || read.act == Act::silence;
	const std::size_t needed = has_detail ? 2 : 1;
	if(arguments.size() < needed || arguments.size() > needed + 1)
		return bad(control.action + " takes " + std::to_string(needed) + " or "
				   + std::to_string(needed + 1) + " Arguments, not "
				   + std::to_string(arguments.size()));
	read.alert = arguments[0];
	if(parse_code(read.alert) == 0 && !parse_uuid(read.alert))
		return bad("Argument 1 is no code (5 characters) and no id (a UUID) of an alert");
	if(read.act == Act::resolve) {
		read.outcome = parse_outcome(arguments[1]).value_or(Outcome::none);
		if(read.outcome == Outcome::none)
			return bad("Argument 2 of resolve is actionable or false");
	}
	if(read.act == Act::silence) {
		const auto seconds = seconds_of(arguments[1]);
		if(!seconds)
			return bad("Argument 2 of silence is a number of seconds, 0 to 86400");
		read.seconds = *seconds;
	}
	if(arguments.size() > needed)
		read.why = arguments[needed];
	return std::nullopt;
}

} // namespace

std::variant<AlertControl, Refusal> read_alert_control(const Control &control)
{
	const auto act = parse_act(control.action);
	if(!act || !of_people(*act)) {
		const bool known = std::find(later.begin(), later.end(), control.action) != later.end();
		return known ? Refusal{ResultCode::not_supported, "this action is not served"}
					 : Refusal{ResultCode::unknown_action,
							 "actions are accept, reject, acknowledge, resolve and silence"};
	}
	AlertControl read;
	read.act = *act;
	if(auto refusal = read_arguments(control, read))
		return std::move(*refusal);
	return read;
}

bool is_watcher_control(const Control &control) noexcept
{
	return control.action == "approve" || control.action == "refuse";
}

std::variant<WatcherControl, Refusal> read_watcher_control(const Control &control)
{
	const auto &arguments = control.arguments;
	if(arguments.size() != 2)
		return bad(control.action + " takes 2 Arguments, not " + std::to_string(arguments.size())
				   + ": who waits, and for which feed");
	if(arguments[0].empty() || arguments[0].size() > most_name)
		return bad("Argument 1 is no user name of 1 to 31 bytes");
	if(arguments[1].empty() || arguments[1].size() > most_feed)
		return bad("Argument 2 is no feed: USER, dev.SERIAL or grp.NAME");
	return WatcherControl{control.action == "approve", arguments[0], arguments[1]};
}

ResultCode result_of(int status) noexcept
{
	switch(status) {
		case 200:
			return ResultCode::ok;
		case 202:
			return ResultCode::accepted;
		case 400:
			return ResultCode::bad_value;
		case 403:
			return ResultCode::forbidden;
		case 404:
			return ResultCode::unknown_alert;
		case 409:
			return ResultCode::conflict;
		default:
			return ResultCode::failed;
	}
}

ControlResponse control_response(
		std::string_view action, std::string_view alert, ResultCode code, std::string_view reason)
{
	ControlResponse::Item item;
	item.action = action;
	if(!alert.empty())
		item.outs.push_back({"alert", std::string(alert)});
	if(!reason.empty())
		item.outs.push_back({"reason", std::string(reason)});
	item.results.emplace_back(result_text(code));
	return {{std::move(item)}};
}

ControlResult read_control_response(const ControlResponse &response)
{
	ControlResult read;
	if(response.items.empty())
		return read;
	const ControlResponse::Item &item = response.items.front();
	read.action = item.action;
	for(const auto &out : item.outs)
		if(out.argument == "alert")
			read.alert = out.value;
		else if(out.argument == "reason")
			read.reason = out.value;
	if(!item.results.empty()) {
		read.result = item.results.front();
		std::from_chars(read.result.data(), read.result.data() + read.result.size(), read.status);
	}
	return read;
}

} // namespace bmd::dmp
