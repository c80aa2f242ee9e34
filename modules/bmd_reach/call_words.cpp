/// @file call_words.cpp  What a call says of alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "call_words.hpp"

#include <string_view>

#include "bmd/alert_text.hpp"
#include "bmd/invite.hpp"

namespace bmd::reach {

namespace {

constexpr std::size_t most_display = 80;
constexpr std::size_t most_subject = 240;

std::string_view shout(Priority priority) noexcept
{
	switch(priority) {
		case Priority::high:
			return "HIGH";
		case Priority::medium:
			return "MEDIUM";
		case Priority::low:
			break;
	}
	return "LOW";
}

std::string more(std::size_t count)
{
	return "and " + std::to_string(count) + " more";
}

std::string subject_of(const CallTold &first, std::size_t others)
{
	const std::string end =
			std::string(", code ") + first.alert.code + (others == 0 ? "" : "; " + more(others));
	return header_line(first.line, most_subject - end.size()) + end;
}

std::string headers_of(Priority priority)
{
	std::string headers = "Priority: " + std::string(sip_priority(priority)) + "\r\n";
	// RFC 7462, 4.2.3; normal is the absence of it
	if(priority != Priority::medium)
		headers += "Alert-Info: <urn:alert:priority:"
				   + std::string(priority == Priority::high ? "high" : "low") + ">\r\n";
	return headers;
}

std::string text_of(const std::vector<CallTold> &alerts, std::size_t others)
{
	constexpr std::size_t last_line = 24; // "and 4294967295 more"
	std::string text(cut_text(alerts.front().text, most_message));
	std::size_t told = 1;
	for(; told < alerts.size(); ++told) {
		const std::string line =
				"\n" + alerts[told].line + ", code " + std::string(alerts[told].alert.code);
		if(text.size() + line.size() + last_line > most_message)
			break;
		text += line;
	}
	const std::size_t left = alerts.size() - told + others;
	const std::string end = "\n" + more(left);
	return left == 0 || text.size() + end.size() > most_message ? text : text + end;
}

} // namespace

Priority priority_of(const bmd_alert_view &alert) noexcept
{
	const std::string_view name = alert.priority;
	return name == "high" ? Priority::high : name == "medium" ? Priority::medium : Priority::low;
}

bool still_waits(const bmd_alert_view &alert, std::string_view person) noexcept
{
	const std::string_view response = alert.response;
	const bool taken = response == "accepted" || response == "acknowledged";
	const bool refused = response == "rejected" && alert.answered_by == person;
	return !taken && !refused && std::string_view(alert.state) != "cleared"
		   && alert.silenced_until[0] == '\0' && std::string_view(alert.suppressed) == "none";
}

CallWords words_of_call(const std::vector<CallTold> &alerts, std::size_t others)
{
	const bmd_alert_view &first = alerts.front().alert;
	const std::string what = first.cause[0] != '\0'
									 ? std::string(first.value) + " silent, " + first.cause
									 : std::string(first.serial) + ' ' + first.metric;
	const std::string display = std::string(shout(priority_of(first))) + ' ' + what;
	return {quoted_string(display, most_display),
			"Subject: " + subject_of(alerts.front(), alerts.size() - 1 + others) + "\r\n"
					+ headers_of(priority_of(first)),
			text_of(alerts, others)};
}

CallWords words_of_silent_call(Priority priority)
{
	return {quoted_string(std::string(shout(priority)) + " alert", most_display),
			headers_of(priority),
			"There is an alert for you. What it is of is sent encrypted only: look at your "
			"terminal."};
}

} // namespace bmd::reach
