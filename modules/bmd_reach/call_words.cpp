/// @file call_words.cpp  What a call says of alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "call_words.hpp"

#include <string_view>

#include "bmd/invite.hpp"

namespace bmd::reach {

namespace {

constexpr std::size_t most_text = 1300;
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

// "SpO2 low", "no data"
std::string what_of(const bmd_alert_view &alert)
{
	const std::string_view condition = alert.condition;
	if(condition == "stale")
		return "no data";
	return alert.metric + std::string(condition == "device" ? "" : " " + std::string(condition));
}

// "84 % (limit 90)"
std::string value_of(const bmd_alert_view &alert)
{
	std::string text = alert.value;
	if(text.empty())
		return text;
	if(alert.unit[0] != '\0')
		text += std::string(" ") + alert.unit;
	if(alert.limit[0] != '\0')
		text += std::string(" (limit ") + alert.limit + ")";
	return text;
}

std::string short_line(const bmd_alert_view &alert)
{
	std::string text = std::string(shout(priority_of(alert))) + " " + what_of(alert);
	if(const std::string value = value_of(alert); !value.empty())
		text += " " + value;
	return text + ", " + alert.serial + ", code " + alert.code;
}

std::string more(std::size_t count)
{
	return count == 0 ? std::string() : "and " + std::to_string(count) + " more";
}

std::string headers_of(const bmd_alert_view &first, std::size_t others)
{
	const Priority priority = priority_of(first);
	std::string subject = short_line(first);
	if(others > 0)
		subject += "; " + more(others);
	std::string headers = "Subject: " + header_line(subject, most_subject) + "\r\nPriority: "
						  + std::string(sip_priority(priority)) + "\r\n";
	// RFC 7462, 4.2.3; normal is the absence of it
	if(priority != Priority::medium)
		headers += "Alert-Info: <urn:alert:priority:"
				   + std::string(priority == Priority::high ? "high" : "low") + ">\r\n";
	return headers;
}

std::string text_of(const std::vector<bmd_alert_view> &alerts, long others)
{
	std::string text = short_line(alerts.front()) + "\n";
	std::size_t told = 1;
	for(; told < alerts.size(); ++told) {
		const std::string line = short_line(alerts[told]) + "\n";
		if(text.size() + line.size() + 40 > most_text)
			break;
		text += line;
	}
	const std::size_t left = alerts.size() - told + static_cast<std::size_t>(others);
	return left == 0 ? text : text + more(left) + "\n";
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

CallWords words_of_call(const std::vector<bmd_alert_view> &alerts, long others)
{
	const bmd_alert_view &first = alerts.front();
	const std::string display =
			std::string(shout(priority_of(first))) + " " + what_of(first) + ", " + first.serial;
	return {quoted_string(display, most_display),
			headers_of(first, alerts.size() - 1 + static_cast<std::size_t>(others)),
			text_of(alerts, others)};
}

} // namespace bmd::reach
