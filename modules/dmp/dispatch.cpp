/// @file dispatch.cpp  A DMPAction of a person to the DMPResponse it gets.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "dispatch.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "bmd/dmp_control.hpp"
#include "book.hpp"
#include "query.hpp"
#include "watcher_answer.hpp"

namespace bmd::dmp {

namespace {

constexpr std::size_t max_variables = 128;
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
		if(is_watcher_control(control)) {
			const WatcherAnswer answer = answer_watcher(user_, device_, control);
			return said(control, echo(answer.person), answer.code, answer.reason);
		}
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
			return {Entry(refuse_query(query, ResultCode::too_long))};
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

// Fills pages with the smallest parts of a response, in their order.
class Pages
{
public:
	Pages(std::size_t room, std::size_t most) : room_(room), most_(most) {}

	// `of`: number of the device; what is of one device stands behind it once a page
	void add(std::size_t of, const std::string &device, Entry part)
	{
		if(pages_.empty())
			pages_.emplace_back();
		Document longer = pages_.back();
		append(longer, last_ == of, device, part);
		const bool fits = pages_.size() >= most_ || pages_.back().devices.empty()
						  || write(longer).size() <= room_;
		if(fits) {
			pages_.back() = std::move(longer);
		} else {
			append(pages_.emplace_back(), false, device, std::move(part));
		}
		last_ = of;
	}
	[[nodiscard]] std::vector<Document> numbered() &&
	{
		for(std::size_t i = 0; i < pages_.size() && pages_.size() > 1; ++i) {
			pages_[i].attributes.version = static_cast<std::uint32_t>(i + 1);
			pages_[i].attributes.more = static_cast<std::uint32_t>(pages_.size() - i - 1);
		}
		return std::move(pages_);
	}

private:
	static void append(Document &page, bool same_device, const std::string &device, Entry part)
	{
		if(!same_device || page.devices.empty())
			page.devices.push_back({device, {}});
		std::vector<Entry> &entries = page.devices.back().entries;
		auto *const items = std::get_if<QueryResponse>(&part);
		auto *const before =
				entries.empty() ? nullptr : std::get_if<QueryResponse>(&entries.back());
		if(items != nullptr && before != nullptr)
			before->items.push_back(std::move(items->items.front()));
		else
			entries.push_back(std::move(part));
	}

	std::size_t room_;
	std::size_t most_;
	std::size_t last_ = 0;
	std::vector<Document> pages_;
};

} // namespace

std::vector<Document> pages_of(Document response, std::size_t room, std::size_t most)
{
	std::vector<Document> whole(1);
	whole.front() = std::move(response);
	if(write(whole.front()).size() <= room)
		return whole;
	Pages pages(room, most);
	std::size_t number = 0;
	for(const Device &device : whole.front().devices) {
		++number;
		for(const Entry &entry : device.entries)
			if(const auto *const query = std::get_if<QueryResponse>(&entry))
				for(const QueryResponse::Item &item : query->items)
					pages.add(number, device.name, QueryResponse{{item}});
			else
				pages.add(number, device.name, entry);
	}
	return std::move(pages).numbered();
}

Result<Document> dispatch(
		std::string_view user, const Document &action, const Room &room, Tally &tally)
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
			Responder responder(user, device.name, room.all - std::min(room.all, used), tally);
			for(Entry &answer : std::visit(responder, entry))
				told.entries.push_back(std::move(answer));
			used = write(response).size();
		}
	}
	return response;
}

} // namespace bmd::dmp
