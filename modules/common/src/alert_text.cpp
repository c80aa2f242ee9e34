/// @file alert_text.cpp  An alert as the text of a message to a phone.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/alert_text.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

#include "bmd/metric.hpp"
#include "bmd/words.hpp"

namespace bmd {

namespace {

constexpr std::size_t most_brief = 200;

// A line of the text; the one with the highest `spare` is left out first, 0 is not.
struct Line
{
	std::string text;
	int spare = 0;
};

std::string clean(std::string_view words)
{
	std::string text(words);
	std::replace(text.begin(), text.end(), '\0', '?');
	mend_words(text.data());
	return text;
}

std::string upper(std::string_view word)
{
	std::string text = clean(word);
	std::transform(text.begin(), text.end(), text.begin(),
			[](unsigned char c) { return static_cast<char>(c < 0x80 ? std::toupper(c) : c); });
	return text;
}

std::string with_unit(std::string_view number, std::string_view unit)
{
	std::string text = clean(number);
	if(!unit.empty() && unit != "1")
		text += ' ' + clean(unit);
	return text;
}

std::string own_alarm(std::string_view name)
{
	const AlarmInfo *alarm = find_alarm(name);
	return clean(name) + (alarm == nullptr ? "" : ": " + std::string(alarm->text));
}

// "SpO2 84 % low, limit 90 %"
std::string what(const AlertWords &alert)
{
	if(alert.condition == "stale")
		return "nothing is heard of the device";
	if(alert.condition == "storm")
		return clean(alert.value) + (alert.value == "1" ? " device silent" : " devices silent");
	if(alert.condition == "withheld")
		return "nothing can be told, documents are sent encrypted only and cannot be";
	if(alert.condition == "device")
		return own_alarm(alert.metric);
	if(alert.condition == "invalid")
		return clean(alert.metric) + " no valid value";
	std::string text = clean(alert.metric);
	if(!alert.value.empty())
		text += ' ' + with_unit(alert.value, alert.unit);
	return text + ' ' + clean(alert.condition);
}

// Some are of no device.
std::string_view name_of(const AlertWords &alert)
{
	return alert.cause.empty() ? alert.serial : alert.cause;
}

std::string first_line(const AlertWords &alert)
{
	std::string text = upper(alert.priority) + ' ' + what(alert);
	const bool limited = alert.condition == "low" || alert.condition == "high";
	if(limited && !alert.limit.empty())
		text += ", limit " + with_unit(alert.limit, alert.unit);
	if(alert.state == "latched")
		text += " (has gone, to be acknowledged)";
	return text;
}

std::vector<Line> lines_of(const AlertWords &alert)
{
	const std::string code = clean(alert.code);
	std::vector<Line> lines;
	const auto add = [&](std::string_view lead, std::string_view words, int spare) {
		if(!words.empty())
			lines.push_back({std::string(lead) + clean(words), spare});
	};
	lines.push_back({first_line(alert), 0});
	add("", name_of(alert), 1);
	add("priority was ", alert.before, 2);
	add("devices ", alert.devices, 2);
	add("", alert.location, 2);
	add("", alert.patient, 4);
	add("", alert.address, 3);
	add("", alert.type, 7);
	add("since ", alert.since, 6);
	add("code ", alert.code, 0);
	if(!code.empty())
		lines.push_back(
				{"answer ok " + code + " (I see to it), no " + code + " or done " + code, 5});
	return lines;
}

std::string joined(const std::vector<Line> &lines)
{
	std::string text;
	for(const Line &line : lines)
		text += (text.empty() ? "" : "\n") + line.text;
	return text;
}

std::string about(std::string_view brief, std::string_view code)
{
	return ": " + clean(brief) + ", code " + clean(code);
}

} // namespace

std::string_view cut_text(std::string_view text, std::size_t most) noexcept
{
	if(text.size() <= most)
		return text;
	while(most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
		--most;
	return text.substr(0, most);
}

std::string alert_text(const AlertWords &alert, std::size_t most)
{
	std::vector<Line> lines = lines_of(alert);
	const auto spare = [](const Line &a, const Line &b) { return a.spare < b.spare; };
	std::string text = joined(lines);
	while(text.size() > most) {
		const auto least = std::max_element(lines.begin(), lines.end(), spare);
		if(least->spare == 0)
			break;
		lines.erase(least);
		text = joined(lines);
	}
	if(text.size() <= most)
		return text;
	// the code rather than the end of the first line
	const std::size_t rest = text.size() - lines.front().text.size();
	lines.front().text = cut_text(lines.front().text, most > rest ? most - rest : 0);
	return std::string(cut_text(joined(lines), most));
}

std::string alert_brief(const AlertWords &alert)
{
	const std::string text =
			upper(alert.priority) + ' ' + what(alert) + ", " + clean(name_of(alert));
	return std::string(cut_text(text, most_brief));
}

std::string taken_text(std::string_view brief, std::string_view code, std::string_view who)
{
	return "taken by " + clean(who) + about(brief, code);
}

std::string over_text(std::string_view brief, std::string_view code, std::string_view who)
{
	return (who.empty() ? "over" : "over, taken by " + clean(who)) + about(brief, code);
}

std::string more_text(std::size_t count)
{
	return (count == 1 ? "1 more alert waits" : std::to_string(count) + " more alerts wait")
		   + " for an answer. Send the word list to see them.";
}

} // namespace bmd
