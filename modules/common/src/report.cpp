/// @file report.cpp  Reader and writer of the report text.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/report.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "bmd/words.hpp"

namespace bmd {

namespace {

constexpr bool digit(char c) noexcept
{
	return c >= '0' && c <= '9';
}

// Takes the next word off `line`; empty at its end.
std::string_view next_word(std::string_view &line) noexcept
{
	const std::size_t begin = line.find_first_not_of(' ');
	if(begin == std::string_view::npos) {
		line = {};
		return {};
	}
	const std::size_t end = line.find(' ', begin);
	const std::string_view word = line.substr(begin, end - begin);
	line = end == std::string_view::npos ? std::string_view{} : line.substr(end);
	return word;
}

Result<TimeUs> read_line_time(std::string_view word)
{
	constexpr TimeUs least = 1'000'000'000; // ten digits, none of them a leading zero
	TimeUs time = 0;
	const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), time);
	if(error != std::errc{} || end != word.data() + word.size() || time < least)
		return malformed(quoted(word) + " is no time in microseconds since 1970");
	return time;
}

Result<Reading> read_alarm(std::string_view name, std::string_view level)
{
	const AlarmInfo *info = find_alarm(name);
	if(info == nullptr)
		return malformed("unknown alarm " + quoted(name));
	Reading reading{info->id, ReadingKind::alarm_on, info->priority, 0.0};
	if(level == "off")
		reading.kind = ReadingKind::alarm_off;
	else if(const auto priority = parse_priority(level))
		reading.priority = *priority;
	else if(level != "on")
		return malformed(quoted(level) + " is none of off, on, low, medium, high");
	return reading;
}

Result<Reading> read_metric(std::string_view name, std::string_view value)
{
	const MetricInfo *info = find_metric(name);
	if(info == nullptr)
		return malformed("unknown metric " + quoted(name));
	Reading reading{info->id, ReadingKind::value, Priority::high, 0.0};
	if(value == "?") {
		reading.kind = ReadingKind::invalid;
		return reading;
	}
	const Result<double> number = parse_number(value);
	if(!number)
		return number.error();
	if(*number < info->min || *number > info->max)
		return malformed(
				quoted(value) + " is outside the plausible range of " + std::string(info->name));
	reading.value = *number;
	return reading;
}

Result<Reading> read_item(std::string_view item)
{
	const std::size_t equals = item.find('=');
	if(equals == std::string_view::npos)
		return malformed("no '=' in the item");
	const std::string_view right = item.substr(equals + 1);
	if(item.front() == '!')
		return read_alarm(item.substr(1, equals - 1), right);
	return read_metric(item.substr(0, equals), right);
}

void read_line(std::size_t number, std::string_view line, ReportSink &sink)
{
	std::string_view rest = line;
	const std::string_view serial = next_word(rest);
	if(serial.empty())
		return;
	if(!valid_serial(serial)) {
		sink.refused(number, line, quoted(serial) + " is no serial number");
		return;
	}
	std::string_view after_time = rest;
	std::string_view word = next_word(after_time);
	TimeUs time = 0;
	if(!word.empty() && word.find('=') == std::string_view::npos) {
		const Result<TimeUs> read = read_line_time(word);
		if(!read) {
			sink.refused(number, line, read.error().reason);
			return;
		}
		time = *read;
		rest = after_time;
	}
	word = next_word(rest);
	if(word.empty()) {
		sink.refused(number, line, "a line without any reading");
		return;
	}
	sink.line(number, serial, time);
	for(; !word.empty(); word = next_word(rest)) {
		const Result<Reading> reading = read_item(word);
		if(reading)
			sink.item(*reading);
		else
			sink.refused(number, word, reading.error().reason);
	}
}

} // namespace

bool valid_serial(std::string_view serial) noexcept
{
	if(serial.empty() || serial.size() > max_serial)
		return false;
	for(const char c : serial) {
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if(!letter && !digit(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

Result<double> parse_number(std::string_view text)
{
	const std::size_t first = !text.empty() && text.front() == '-' ? 1 : 0;
	double value = 0.0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if(error == std::errc{} && end == text.data() + text.size() && !std::isfinite(value))
		return malformed(quoted(text) + " is not a finite number");
	// A subnormal number is no measurement, and not every reader of numbers takes one.
	if(error == std::errc::result_out_of_range || std::fpclassify(value) == FP_SUBNORMAL)
		return malformed(quoted(text) + " is too large or too small for a number");
	if(error != std::errc{} || end != text.data() + text.size()
			|| (!digit(text[first]) && text[first] != '.'))
		return malformed(quoted(text) + " is not a number");
	return value;
}

void read_report(std::string_view text, ReportSink &sink)
{
	for(std::size_t number = 1; !text.empty(); ++number) {
		const std::size_t end = text.find('\n');
		std::string_view line = text.substr(0, end);
		text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
		if(!line.empty() && line.back() == '\r')
			line.remove_suffix(1);
		read_line(number, line, sink);
	}
}

void ReportWriter::begin(std::string_view serial, TimeUs time)
{
	if(!text_.empty())
		text_ += '\n';
	text_ += serial;
	if(time > 0)
		text_ += ' ' + std::to_string(time);
}

void ReportWriter::add(const Reading &reading)
{
	text_ += ' ';
	if(reading.kind == ReadingKind::alarm_on || reading.kind == ReadingKind::alarm_off)
		text_ += '!';
	text_ += metric_name(reading.metric);
	text_ += '=';
	switch(reading.kind) {
		case ReadingKind::invalid:
			text_ += '?';
			break;
		case ReadingKind::alarm_on:
			text_ += to_string(reading.priority);
			break;
		case ReadingKind::alarm_off:
			text_ += "off";
			break;
		case ReadingKind::value: {
			std::array<char, 40> out{};
			const auto end = std::to_chars(out.data(), out.data() + out.size(), reading.value).ptr;
			text_.append(out.data(), end);
			break;
		}
	}
}

} // namespace bmd
