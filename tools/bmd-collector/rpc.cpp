/// @file rpc.cpp  The bmd.report call: its request and its reply, as JSON-RPC 2.0.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "rpc.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace bmd {

namespace {

using nlohmann::json;

constexpr int code_refused = 400;
constexpr int code_denied = 403;
constexpr int code_outdated = 409;
constexpr int code_expects = 412;
constexpr int code_too_large = 413;
constexpr int code_busy = 503;

// The server writes numbers beyond 2^53 as strings; smaller ones either way.
std::optional<std::int64_t> integer(const json &object, const char *key)
{
	const auto found = object.find(key);
	if(found == object.end())
		return std::nullopt;
	if(found->is_number_integer())
		return found->get<std::int64_t>();
	if(!found->is_string())
		return std::nullopt;
	const auto &text = found->get_ref<const std::string &>();
	std::int64_t value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if(error != std::errc{} || end != text.data() + text.size())
		return std::nullopt;
	return value;
}

Reply failed(std::string reason)
{
	Reply reply;
	reply.reason = std::move(reason);
	return reply;
}

// What the server says, fit for one line of a log.
std::string words_of(const json &error)
{
	constexpr std::size_t longest = 160;
	const auto message = error.find("message");
	if(message == error.end() || !message->is_string())
		return "no reason given";
	std::string words = message->get_ref<const std::string &>().substr(0, longest);
	std::ranges::replace_if(
			words, [](char c) { return c < ' ' || c > '~'; }, '?');
	return words;
}

// The number behind " KEY=" in the message of a fault; 0: there is none.
std::int64_t number_in(const json &error, const std::string &key)
{
	const auto message = error.find("message");
	if(message == error.end() || !message->is_string())
		return 0;
	const auto &text = message->get_ref<const std::string &>();
	const auto at = text.rfind(" " + key + "=");
	std::int64_t number = 0;
	if(at != std::string::npos)
		std::from_chars(text.data() + at + key.size() + 2, text.data() + text.size(), number);
	return std::max<std::int64_t>(number, 0);
}

Reply read_fault(const json &error)
{
	const auto code = error.is_object() ? integer(error, "code") : std::nullopt;
	if(!code)
		return failed("reply has an error without a code");
	Reply reply;
	reply.reason = "server's fault code " + std::to_string(*code);
	if(*code == code_denied) // for its certificate: nothing of a batch is in it
		reply.reason = "server refuses this collector: " + words_of(error);
	if(*code == code_refused)
		reply.verdict = Reply::Verdict::refused;
	else if(*code == code_outdated)
		reply.verdict = Reply::Verdict::outdated;
	else if(*code == code_expects)
		reply.verdict = Reply::Verdict::expects;
	else if(*code == code_too_large)
		reply.verdict = Reply::Verdict::too_large;
	else if(*code == code_busy)
		reply.verdict = Reply::Verdict::busy;
	reply.expected = static_cast<std::uint64_t>(number_in(error, "expected"));
	reply.judged = static_cast<std::uint64_t>(number_in(error, "judged"));
	reply.durable = static_cast<std::uint64_t>(number_in(error, "durable"));
	reply.has_durable = reply.expected != 0;
	reply.known_epoch = static_cast<std::uint64_t>(number_in(error, "known"));
	reply.server_clock = number_in(error, "clock");
	return reply;
}

Reply read_result(const json &result)
{
	const auto accepted = integer(result, "accepted");
	const auto durable = integer(result, "durable");
	if(!accepted || !durable || *accepted < 0 || *durable < 0)
		return failed("result lacks accepted or durable");
	Reply reply;
	reply.verdict = Reply::Verdict::accepted;
	reply.accepted = *accepted;
	reply.has_durable = true;
	reply.durable = static_cast<std::uint64_t>(*durable);
	reply.duplicate = integer(result, "duplicate").value_or(0) != 0;
	if(const auto refused = result.find("refused"); refused != result.end() && refused->is_array())
		reply.refused = refused->size();
	return reply;
}

} // namespace

std::string make_request(std::string_view collector, std::uint64_t epoch, std::uint64_t first,
		std::uint64_t seq, std::string_view text)
{
	const std::string absent = first < seq ? "!absent " + std::to_string(first) + "\n" : "";
	const json request{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "bmd.report"},
			{"params", {collector, std::to_string(epoch), std::to_string(seq),
							   absent + std::string(text)}}};
	return request.dump();
}

Reply read_reply(long status, std::string_view body)
{
	const json reply = json::parse(body, nullptr, false);
	if(reply.is_object()) {
		if(const auto error = reply.find("error"); error != reply.end())
			return read_fault(*error);
		const auto result = reply.find("result");
		// what a proxy says of an error must not delete readings
		if(status == 200 && result != reply.end() && result->is_object())
			return read_result(*result);
	}
	if(status == code_too_large) { // a proxy, or Kamailio before it looks into it
		Reply reply;
		reply.verdict = Reply::Verdict::too_large;
		return reply;
	}
	if(status != 200)
		return failed("HTTP status " + std::to_string(status));
	return failed("reply is not JSON-RPC");
}

} // namespace bmd
