/// @file text_output.cpp  Lines for people, to be understood at three in the morning.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iostream>
#include <vector>

#include "watch_output.hpp"

namespace bmd::watch {

namespace {

// Text from the wire must not command the terminal: control characters (C0, DEL and, in UTF-8, C1)
// and line ends become spaces.
std::string printable(std::string_view text)
{
	std::string out;
	for(std::size_t i = 0; i < text.size(); ++i) {
		const auto c = static_cast<unsigned char>(text[i]);
		const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
		if(c == 0xC2 && next >= 0x80 && next < 0xA0) {
			out += ' ';
			++i;
		} else {
			out += c < 0x20 || c == 0x7F ? ' ' : text[i];
		}
	}
	return out;
}

std::string number(double value)
{
	std::array<char, 32> buffer{};
	const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
	return {buffer.data(), end};
}

std::string upper(std::string_view word)
{
	std::string out(word);
	std::transform(out.begin(), out.end(), out.begin(),
			[](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
	return out;
}

std::string with_unit(double value, const std::string &unit)
{
	return number(value) + (unit.empty() || unit == "1" ? "" : " " + printable(unit));
}

// "SpO2 84 % below 90 %", "LowO2Supply: alarm of the device"
std::string what(const AlertView &alert)
{
	std::string out = printable(alert.metric);
	if(alert.value)
		out += ' ' + with_unit(*alert.value, alert.unit);
	switch(alert.condition) {
		case Condition::low:
			return out
				   + (alert.limit ? " below limit " + with_unit(*alert.limit, alert.unit) : " low");
		case Condition::high:
			return out
				   + (alert.limit ? " above limit " + with_unit(*alert.limit, alert.unit)
								  : " high");
		case Condition::invalid:
			return out + ": no valid value";
		case Condition::stale:
			return out + ": nothing heard";
		case Condition::device:
			return out + ": alarm of the device";
	}
	return out;
}

std::string where(const AlertView &alert)
{
	std::string out;
	for(const std::string &part : {alert.patient_name, alert.location, alert.patient_address})
		if(!part.empty())
			out += (out.empty() ? "" : ", ") + printable(part);
	return out.empty() ? "no patient" : out;
}

// "03:00:12Z" of an RFC 3339 time.
std::string time_of_day(TimeUs time)
{
	return format_time(time).substr(11, 8) + 'Z';
}

// What people have made of it, and why it may be quiet; empty when there is nothing to say.
std::string answers(const AlertView &alert)
{
	std::string out;
	if(alert.response != Response::none) {
		out += " | " + std::string(to_string(alert.response));
		if(!alert.answered_by.empty())
			out += " by " + printable(alert.answered_by);
		if(alert.response == Response::escalated && alert.step != 0)
			out += ", step " + std::to_string(alert.step);
	}
	if(alert.outcome != bmd::Outcome::none)
		out += " | resolved: " + std::string(to_string(alert.outcome));
	if(alert.silenced_until != 0)
		out += " | silenced until " + time_of_day(alert.silenced_until);
	if(alert.suppressed != Suppression::none)
		out += " | suppressed: " + std::string(to_string(alert.suppressed));
	if(alert.mutes != 0)
		out += " | mutes " + std::to_string(alert.mutes) + " alerts of the device";
	if(alert.priority_before)
		out += " | priority was " + std::string(to_string(*alert.priority_before));
	return out;
}

// Everything of an alert but the time.
std::string description(const AlertView &alert)
{
	std::string out = upper(to_string(alert.priority));
	out += "  " + what(alert) + " | " + printable(alert.serial);
	if(!alert.device_type.empty())
		out += " (" + printable(alert.device_type) + ')';
	out += " | " + where(alert) + " | ";
	out += to_string(alert.kind);
	out += ", ";
	out += to_string(alert.state);
	out += answers(alert);
	if(!alert.code.empty())
		out += " | code " + printable(alert.code);
	return out;
}

std::string by(const AlertView &alert)
{
	return alert.answered_by.empty() ? "" : " by " + printable(alert.answered_by);
}

// What has changed, in capitals; what calls for somebody again comes before what quietens.
std::string change_words(const AlertView &before, const AlertView &now)
{
	std::vector<std::string> words;
	if(before.state != now.state)
		words.emplace_back(now.state == AlertState::active ? "BACK" : upper(to_string(now.state)));
	if(before.priority != now.priority)
		words.push_back((now.priority > before.priority ? "RISEN from " : "FALLEN from ")
						+ std::string(to_string(before.priority)));
	if(before.suppressed != now.suppressed)
		words.push_back(now.suppressed == Suppression::none
								? "RESUMED"
								: "SUPPRESSED: " + std::string(to_string(now.suppressed)));
	if(before.silenced_until != now.silenced_until)
		words.push_back(now.silenced_until == 0
								? "SILENCE OVER"
								: "SILENCED until " + time_of_day(now.silenced_until));
	if(before.response != now.response || before.answered_by != now.answered_by)
		words.push_back(now.response == Response::none ? "NOBODY HAS IT"
													   : upper(to_string(now.response)) + by(now));
	if(before.outcome != now.outcome && now.outcome != bmd::Outcome::none)
		words.push_back("RESOLVED: " + std::string(to_string(now.outcome)));
	if(before.mutes != now.mutes)
		words.push_back("MUTES " + std::to_string(now.mutes));
	std::string out;
	for(const std::string &word : words)
		out += (out.empty() ? "" : ", ") + word;
	return out.empty() ? "CHANGED" : out;
}

std::string age(const AlertView &alert, TimeUs received)
{
	const auto latency = latency_ms(alert, received);
	return latency ? " | " + number(std::round(*latency)) + " ms since the last byte" : "";
}

std::string state_table(const Notification &n)
{
	std::string out = "STATE " + time_of_day(n.received) + ' ' + printable(n.feed->feed) + ": ";
	out += n.open.empty() ? "no open alert"
						  : std::to_string(n.open.size())
									+ (n.open.size() == 1 ? " open alert" : " open alerts");
	if(n.feed->more != 0)
		out += ", " + std::to_string(n.feed->more) + " more follow";
	out += '\n';
	for(const AlertView &alert : n.open) {
		out += "      since " + (alert.onset_at != 0 ? time_of_day(alert.onset_at) : "?");
		out += ' ' + description(alert) + '\n';
	}
	return out;
}

std::string line_of(const Change &change, TimeUs received)
{
	const std::string rest = ' ' + time_of_day(received) + ' ' + description(change.alert);
	if(change.kind == ChangeKind::cleared)
		return "CLEAR" + rest + '\n';
	if(!change.before)
		return "ALERT" + rest + age(change.alert, received) + '\n';
	const bool read_again = change.before->measured_at != change.alert.measured_at;
	return change_words(*change.before, change.alert) + rest
		   + (read_again ? age(change.alert, received) : "") + '\n';
}

void write(const std::string &text)
{
	std::cout << text << std::flush;
}

class TextOutput : public Output
{
public:
	void notification(const Notification &n) override { write(text_of(n)); }
	void event(const Event &e) override { write(text_of(e)); }
};

} // namespace

std::optional<double> latency_ms(const AlertView &alert, TimeUs received) noexcept
{
	if(alert.measured_at == 0)
		return std::nullopt;
	return static_cast<double>(received - alert.measured_at) / 1000.0;
}

std::string text_of(const Notification &n)
{
	std::string out;
	if(!n.mistake.empty())
		out += "-- a document could not be read: " + printable(n.mistake) + '\n';
	if(!n.feed || n.outcome.verdict == Verdict::old)
		return out;
	// at the first document of a subscription the table says it all
	const bool first = n.feed->full && !n.outcome.last;
	for(const Change &change : n.outcome.changes) {
		if(!first || change.kind == ChangeKind::cleared)
			out += line_of(change, n.received);
	}
	// the last document of a subscription says nothing new
	if(n.feed->full && n.subscription_state != "terminated")
		out += state_table(n);
	return out;
}

std::string text_of(const Event &e)
{
	std::string out = "-- " + time_of_day(e.at) + ' ' + printable(e.name);
	if(!e.feed.empty())
		out += ' ' + printable(e.feed);
	if(e.status != 0)
		out += ": " + std::to_string(e.status);
	if(!e.reason.empty())
		out += (e.status != 0 ? " " : ": ") + printable(e.reason);
	if(e.expires)
		out += ", for " + std::to_string(*e.expires) + " s";
	if(e.in_ms)
		out += ", trying again in " + std::to_string(*e.in_ms) + " ms";
	return out + '\n';
}

std::unique_ptr<Output> text_output()
{
	return std::make_unique<TextOutput>();
}

} // namespace bmd::watch
