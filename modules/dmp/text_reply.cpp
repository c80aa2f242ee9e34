/// @file text_reply.cpp  A text of a person to the text it gets.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "text_reply.hpp"

#include <algorithm>
#include <vector>

#include "bmd/words.hpp"
#include "book.hpp"

namespace bmd::dmp {

namespace {

constexpr std::string_view through = "text";
constexpr std::string_view nothing = " Nothing was changed.";
constexpr std::string_view help =
		"\nAnswer an alert with its code:\n"
		"ok CODE - I see to it\n"
		"no CODE - not I\n"
		"ack CODE - dealt with\n"
		"done CODE - resolved; done CODE false - it was a false alarm\n"
		"silence CODE 60 - for so many seconds\n"
		"list - open alerts and their codes, the most urgent first; list 2";
constexpr std::size_t most_listed = 8;   // on one page
constexpr std::size_t longest_line = 90; // bytes, so that a page stays below max_answer
constexpr long most_read = 256;          // more than one is ambiguous anyway

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

std::string line_of(const bmd_alert_view &alert, bool over)
{
	std::string line = std::string("\n") + alert.code + ' ' + described(alert);
	if(over)
		line += ", over";
	else if(alert.answered_by[0] != '\0')
		line += std::string(", ") + alert.response + " by " + alert.answered_by;
	if(line.size() > longest_line)
		line = std::string("\n") + alert.code + ' ' + upper(alert.priority) + ' ' + alert.metric
			   + ", " + alert.serial;
	return line;
}

// Alerts that a text is about: the open ones, most urgent first, then those that are over.
struct Alerts
{
	std::vector<bmd_alert_view> all;
	std::vector<Candidate> candidates; // of each
	long open = 0;                     // how many there are, also where not all of them are here
};

std::string listed(const Alerts &alerts, const std::vector<std::size_t> &which)
{
	std::string out;
	for(std::size_t i = 0; i < std::min(which.size(), most_listed); ++i)
		out += line_of(alerts.all[which[i]], alerts.candidates[which[i]].over);
	if(which.size() > most_listed)
		out += "\nand " + std::to_string(which.size() - most_listed) + " more";
	return out;
}

TextAnswer only_text(std::string text)
{
	return {std::move(text), false, {}, {}};
}

TextAnswer list(std::string_view user, long page)
{
	long open = 0;
	const auto alerts = alerts_of(user, most_read, open);
	if(open == 0)
		return only_text("No open alert of yours.");
	std::string text = "Open alerts: " + std::to_string(open);
	const auto size = static_cast<long>(alerts.size());
	const auto pages = (size + static_cast<long>(most_listed) - 1) / static_cast<long>(most_listed);
	const long first = (std::min(page, pages) - 1) * static_cast<long>(most_listed);
	const long end = std::min(size, first + static_cast<long>(most_listed));
	for(long i = first; i < end; ++i)
		text += line_of(alerts[static_cast<std::size_t>(i)], false);
	if(end < size)
		text += "\nand " + std::to_string(open - end) + " more: list "
				+ std::to_string(std::min(page, pages) + 1);
	return only_text(std::move(text));
}

TimeUs time_of(const char *text)
{
	const auto at = parse_time(text);
	return at ? *at : TimeUs{0};
}

// What a text of this person without a code may be about.
Alerts about(std::string_view user, Act act)
{
	Alerts found;
	found.all = alerts_of(user, most_read, found.open);
	for(const bmd_alert_view &alert : found.all)
		found.candidates.push_back({parse_response(alert.response).value_or(Response::none), {},
				time_of(alert.answered_at), time_of(alert.raised_at)});
	for(const Lately &answer : memory().answers(user, mono_now() - repeat_window)) {
		if(answer.act != act || !answer.bare)
			continue;
		const auto open = std::ranges::find_if(found.all, [&](const bmd_alert_view &alert) {
			return std::string_view(alert.id) == answer.id;
		});
		if(open != found.all.end()) {
			found.candidates[static_cast<std::size_t>(open - found.all.begin())].just_answered =
					true;
		} else {
			found.all.push_back(shown(answer));
			found.candidates.push_back({Response::none, {}, 0, 0, true, true});
		}
	}
	for(std::size_t i = 0; i < found.all.size(); ++i) // they do not move any more
		found.candidates[i].by = found.all[i].answered_by;
	return found;
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

// `alert`: its id, where the text had no code.
TextAnswer answer_alert(
		std::string_view user, const Reply &reply, std::string_view alert, Tally &tally)
{
	const bool bare = alert != reply.code;
	++tally.controls;
	AlertControl control;
	control.act = reply.act;
	control.alert = alert;
	control.outcome = reply.outcome;
	control.seconds = reply.seconds;
	const Carried carried = carry_out(user, any_device, control, through, bare);
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
		answer.text += '\n' + list(user, 1).text;
	return answer;
}

TextAnswer answer_without_code(std::string_view user, Reply reply, TimeUs now, Tally &tally)
{
	const Alerts alerts = about(user, reply.act);
	const auto which = meant(alerts.candidates, reply.act, user, now);
	if(which.size() == 1 && alerts.open <= most_read) {
		reply.code = alerts.all[which.front()].code;
		return answer_alert(user, reply, alerts.all[which.front()].id, tally);
	}
	++tally.refused;
	if(which.empty()) {
		TextAnswer answer = list(user, 1);
		answer.text = "Which alert? None of yours waits for this answer." + std::string(nothing)
					  + (alerts.open == 0 ? "" : " A new one wants its code.\n" + answer.text);
		return answer;
	}
	return only_text("Which one? Say it again with the code." + std::string(nothing)
					 + listed(alerts, which));
}

} // namespace

TextAnswer answer_text(std::string_view user, std::string_view text, TimeUs now, Tally &tally)
{
	const Reply reply = parse_reply(text);
	TextAnswer answer;
	switch(reply.kind) {
		case Reply::Kind::answer:
			answer = reply.code.empty() ? answer_without_code(user, reply, now, tally)
										: answer_alert(user, reply, reply.code, tally);
			break;
		case Reply::Kind::list:
			answer = list(user, reply.page);
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
	answer.text.resize(cut_words(answer.text, max_answer).size());
	return answer;
}

} // namespace bmd::dmp
