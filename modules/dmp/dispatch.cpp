/// @file dispatch.cpp  A DMPAction of a person to the DMPResponse it gets.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "dispatch.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "bmd/dmp_control.hpp"
#include "book.hpp"
#include "query.hpp"

namespace bmd::dmp {

namespace {

constexpr std::size_t max_variables = 128;
constexpr std::size_t max_response = 48'000; // bytes, so that it fits a datagram
constexpr std::string_view through = "dmp";

std::string echo(const std::string &text)
{
	return text.substr(0, longest_echo);
}

std::optional<Error> too_much(const Document &action)
{
	std::size_t entries = 0;
	std::size_t variables = 0;
	for(const Device &device : action.devices) {
		entries += device.entries.size();
		for(const Entry &entry : device.entries)
			if(const auto *const query = std::get_if<Query>(&entry))
				variables += query->variables.size();
			else if(const auto *const subscribe = std::get_if<Subscribe>(&entry))
				variables += subscribe->items.size();
	}
	if(entries > max_message_entries)
		return malformed(std::to_string(entries) + " entries in one MESSAGE, at most "
						 + std::to_string(max_message_entries) + " are taken");
	if(variables > max_variables)
		return malformed(std::to_string(variables) + " variables in one MESSAGE, at most "
						 + std::to_string(max_variables) + " are taken");
	return std::nullopt;
}

// Makes the response to each entry of one device.
class Responder
{
public:
	Responder(std::string_view user, const std::string &device, std::size_t room, Tally &tally)
		: user_(user), device_(device), room_(room), tally_(tally)
	{
	}

	std::vector<Entry> operator()(const Control &control)
	{
		++tally_.controls;
		const auto read = read_alert_control(control);
		if(const auto *const refusal = std::get_if<Refusal>(&read)) {
			const bool named = !control.arguments.empty();
			return said(control, named ? echo(control.arguments[0]) : "", refusal->code,
					refusal->reason);
		}
		const auto &wanted = std::get<AlertControl>(read);
		const Carried carried = carry_out(user_, device_, wanted, through);
		return said(control, std::string(wanted.alert), carried.code, carried.reason);
	}
	std::vector<Entry> operator()(const Query &query)
	{
		++tally_.queries;
		std::vector<Entry> answer = answer_query(user_, device_, query);
		if(size_of(answer) > room_) {
			++tally_.refused;
			return {Entry(refuse_query(query, ResultCode::bad_value))};
		}
		return answer;
	}
	// Subscriptions are made with SUBSCRIBE.
	std::vector<Entry> operator()(const Subscribe &subscribe)
	{
		++tally_.refused;
		Notify notify;
		for(const Subscribe::Item &item : subscribe.items)
			notify.items.push_back({echo(item.variable), {""}, {},
					{std::string(result_text(ResultCode::not_supported))}});
		return {Entry(std::move(notify))};
	}
	// A DMPAction has none of the others.
	template <class Other> std::vector<Entry> operator()(const Other &) { return {}; }

private:
	std::vector<Entry> said(const Control &control, const std::string &alert, ResultCode code,
			const std::string &reason)
	{
		tally_.refused += code == ResultCode::ok || code == ResultCode::accepted ? 0 : 1;
		return {Entry(control_response(echo(control.action), alert, code, reason))};
	}
	static std::size_t size_of(const std::vector<Entry> &entries)
	{
		Document document;
		document.devices.push_back({"", entries});
		return write(document).size();
	}

	std::string_view user_;
	const std::string &device_;
	std::size_t room_;
	Tally &tally_;
};

} // namespace

Result<Document> dispatch(std::string_view user, const Document &action, Tally &tally)
{
	if(action.root != Root::action)
		return malformed("a DMPResponse is not taken here, only a DMPAction");
	if(auto error = too_much(action))
		return std::move(*error);
	Document response;
	std::size_t used = 0;
	for(const Device &device : action.devices) {
		Device &told = response.devices.emplace_back(Device{echo(device.name), {}});
		for(const Entry &entry : device.entries) {
			Responder responder(
					user, device.name, max_response - std::min(max_response, used), tally);
			for(Entry &answer : std::visit(responder, entry))
				told.entries.push_back(std::move(answer));
			used = write(response).size();
		}
	}
	return response;
}

} // namespace bmd::dmp
