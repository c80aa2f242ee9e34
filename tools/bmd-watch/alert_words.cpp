/// @file alert_words.cpp  An alert in words, for lines and screens.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "alert_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>

namespace bmd::watch {

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

namespace {

std::string with_unit(double value, const std::string &unit)
{
	return number(value) + (unit.empty() || unit == "1" ? "" : " " + printable(unit));
}

} // namespace

namespace {

// "12 devices silent: A, B, C and 9 more (collector home-3)"
std::string what_of_storm(const AlertView &alert)
{
	std::string out = std::to_string(alert.devices)
					  + (alert.devices == 1 ? " device silent" : " devices silent");
	const char *before = ": ";
	for(const StormDevice &device : alert.some) {
		out += before + printable(device.serial);
		if(!device.patient_name.empty())
			out += " (" + printable(device.patient_name) + ')';
		before = ", ";
	}
	if(alert.devices > alert.some.size() && !alert.some.empty())
		out += " and " + std::to_string(alert.devices - alert.some.size()) + " more";
	return out + (alert.cause.empty() ? "" : " (" + printable(alert.cause) + ')');
}

} // namespace

std::string what(const AlertView &alert)
{
	if(alert.condition == Condition::storm)
		return what_of_storm(alert);
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
		case Condition::withheld:
			return printable(alert.cause)
				   + " is told nothing: documents are sent encrypted only, and cannot be";
		case Condition::storm:
			break;
	}
	return out;
}

std::string where(const AlertView &alert)
{
	std::string out;
	if(alert.condition == Condition::storm)
		return "several patients";
	if(alert.condition == Condition::withheld)
		return "any patient";
	for(const std::string &part : {alert.patient_name, alert.location, alert.patient_address})
		if(!part.empty())
			out += (out.empty() ? "" : ", ") + printable(part);
	return out.empty() ? "no patient" : out;
}

std::string time_of_day(TimeUs time)
{
	return format_time(time).substr(11, 8) + 'Z';
}

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

} // namespace bmd::watch
