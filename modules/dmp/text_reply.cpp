/// @file text_reply.cpp  A text of a person to the text it gets.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "text_reply.hpp"

#include <algorithm>
#include <vector>

#include "book.hpp"

namespace bmd::dmp {

namespace {

constexpr std::string_view through = "text";
constexpr std::string_view nothing = " Nothing was changed.";
constexpr std::string_view help = "\nAnswer an alert with its code:\n"
								  "ok CODE - I see to it\n"
								  "no CODE - not I\n"
								  "ack CODE - dealt with\n"
								  "done CODE - resolved; done CODE false - it was a false alarm\n"
								  "silence CODE 60 - for so many seconds\n"
								  "list - open alerts and their codes";
constexpr std::size_t most_listed = 8;
constexpr long most_read = 256; // more than one is ambiguous anyway

std::string upper(std::string_view word)
{
	std::string out(word);
	std::transform(out.begin(), out.end(), out.begin(),
			[](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
	return out;
}

// "HIGH SpO2 81 % low, OX-1001, living room"
std::string described(const bmd_alert_view &alert)
{
	std::string out = upper(alert.priority) + ' ';
	if(alert.cause[0] != '\0')
		return out + alert.value + " devices silent, " + alert.cause;
	out += alert.metric;
	if(alert.value[0] != '\0')
		out += std::string(" ") + alert.value;
	if(alert.value[0] != '\0' && alert.unit[0] != '\0' && std::string_view(alert.unit) != "1")
		out += std::string(" ") + alert.unit;
	out += std::string(" ") + alert.condition + ", " + alert.serial;
	if(alert.location[0] != '\0')
		out += std::string(", ") + alert.location;
	return out;
}

std::string listed(const std::vector<bmd_alert_view> &alerts, const std::vector<std::size_t> &which,
		std::size_t all)
{
	std::string out;
	for(std::size_t i = 0; i < std::min(which.size(), most_listed); ++i) {
		const bmd_alert_view &alert = alerts[which[i]];
		std::string line = std::string("\n") + alert.code + ' ' + described(alert);
		if(alert.answered_by[0] != '\0')
			line += std::string(", ") + alert.response + " by " + alert.answered_by;
		if(line.size() > 120)
			line = std::string("\n") + alert.code + ' ' + upper(alert.priority) + ' ' + alert.metric
				   + ", " + alert.serial;
		out += line;
	}
	if(all > most_listed)
		out += "\nand " + std::to_string(all - most_listed) + " more";
	return out;
}

TextAnswer only_text(std::string text)
{
	return {std::move(text), false, {}, {}};
}

TextAnswer list(std::string_view user)
{
	long open = 0;
	const auto alerts = alerts_of(user, most_read, open);
	std::vector<std::size_t> every(alerts.size());
	for(std::size_t i = 0; i < every.size(); ++i)
		every[i] = i;
	if(open == 0)
		return only_text("No open alert of yours.");
	return only_text("Open alerts: " + std::to_string(open)
					 + listed(alerts, every, static_cast<std::size_t>(open)));
}

std::vector<Candidate> candidates(const std::vector<bmd_alert_view> &alerts)
{
	const auto time = [](const char *text) {
		const auto at = parse_time(text);
		return at ? *at : TimeUs{0};
	};
	std::vector<Candidate> open;
	open.reserve(alerts.size());
	for(const bmd_alert_view &alert : alerts)
		open.push_back({parse_response(alert.response).value_or(Response::none), alert.answered_by,
				time(alert.answered_at), time(alert.raised_at)});
	return open;
}

std::string done(const Reply &reply)
{
	switch(reply.act) {
		case Act::accept:
			return "accepted by you";
		case Act::reject:
			return "rejected by you";
		case Act::acknowledge:
			return "acknowledged by you";
		case Act::resolve:
			return "resolved by you: " + std::string(to_string(reply.outcome));
		case Act::silence:
			return reply.seconds == 0 ? "no longer silenced"
									  : "silenced for " + std::to_string(reply.seconds) + " s";
		default:
			return "answered";
	}
}

TextAnswer answer_alert(std::string_view user, const Reply &reply, Tally &tally)
{
	++tally.controls;
	AlertControl control;
	control.act = reply.act;
	control.alert = reply.code;
	control.outcome = reply.outcome;
	control.seconds = reply.seconds;
	const Carried carried = carry_out(user, any_device, control, through);
	TextAnswer answer{reply.code, true, reply.code, std::string(result_text(carried.code))};
	if(carried.done()) {
		answer.text += ' ' + done(reply) + ": " + described(carried.alert);
		if(!carried.reason.empty())
			answer.text += ". But " + carried.reason + '.';
		return answer;
	}
	++tally.refused;
	answer.text += ": " + carried.reason + '.' + std::string(nothing);
	if(carried.code == ResultCode::unknown_alert)
		answer.text += '\n' + list(user).text;
	return answer;
}

TextAnswer answer_without_code(std::string_view user, Reply reply, TimeUs now, Tally &tally)
{
	long open = 0;
	const auto alerts = alerts_of(user, most_read, open);
	const auto which = meant(candidates(alerts), reply.act, user, now);
	if(which.size() == 1 && open <= most_read) {
		reply.code = alerts[which.front()].code;
		return answer_alert(user, reply, tally);
	}
	++tally.refused;
	if(which.empty()) {
		TextAnswer answer = list(user);
		answer.text = "Which alert? None of yours waits for this answer." + std::string(nothing)
					  + (open == 0 ? "" : " Say it with the code.\n" + answer.text);
		return answer;
	}
	return only_text("Which one? Say it again with the code." + std::string(nothing)
					 + listed(alerts, which, which.size()));
}

} // namespace

TextAnswer answer_text(std::string_view user, std::string_view text, TimeUs now, Tally &tally)
{
	const Reply reply = parse_reply(text);
	TextAnswer answer;
	switch(reply.kind) {
		case Reply::Kind::answer:
			answer = reply.code.empty() ? answer_without_code(user, reply, now, tally)
										: answer_alert(user, reply, tally);
			break;
		case Reply::Kind::list:
			answer = list(user);
			break;
		case Reply::Kind::help:
			answer = only_text(std::string(help.substr(1)));
			break;
		case Reply::Kind::unclear:
			++tally.refused;
			answer = only_text("Not understood: " + reply.wrong + '.' + std::string(nothing)
							   + std::string(help));
			break;
	}
	answer.text.resize(std::min(answer.text.size(), max_reply));
	return answer;
}

} // namespace bmd::dmp
