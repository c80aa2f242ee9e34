/// @file dmp_words.cpp  Fuzz target: Event expressions, Durations, times and identifiers.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The first line is an Event, the second a Duration, the third a date-time, the fourth an id.

#include <array>
#include <cmath>

#include "bmd/code.hpp"
#include "bmd/dmp_subscribe.hpp"
#include "bmd/ids.hpp"
#include "fuzz.hpp"

namespace {

using fuzz::require;

constexpr bmd::TimeUs now = 1'795'000'000 * bmd::second_us;
constexpr bmd::DurationUs hour = 3600 * bmd::second_us;
constexpr bmd::DurationUs century = bmd::DurationUs{36'525} * 24 * hour;

void event(std::string_view text)
{
	const auto read = bmd::dmp::parse_event(text);
	if(!read)
		return fuzz::require_reason(read.error().reason);
	require(std::isfinite(read->number), "the number of an event is finite");
	require(read->unit.size() <= 31 && read->variable.size() <= 31, "names of an event are short");
	require(read->condition != bmd::Condition::device, "an event never asks for a device's alarm");
}

void duration(std::string_view text)
{
	for(const bmd::DurationUs offset : {-12 * hour, bmd::DurationUs{0}, 14 * hour}) {
		const auto end = bmd::dmp::parse_duration(text, now, offset);
		if(!end)
			fuzz::require_reason(end.error().reason);
		else
			require(*end >= now && *end <= now + century, "a duration ends within 100 years");
	}
}

void moment(std::string_view text)
{
	const auto read = bmd::parse_time(text);
	if(!read)
		return;
	const auto again = bmd::parse_time(bmd::format_time(*read));
	require(again.ok() && *again == *read, "a time that is written is read back");
}

void id(std::string_view text)
{
	if(const std::uint32_t number = bmd::parse_code(text); number != 0) {
		require(number <= bmd::codes, "codes are counted");
		require(bmd::parse_code(bmd::code_text(number)) == number, "a code is read back");
	}
	(void)bmd::parse_uuid(text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	static constexpr std::array<void (*)(std::string_view), 4> readers{event, duration, moment, id};
	std::string_view rest = fuzz::text(data, size);
	for(const auto reader : readers) {
		const std::size_t end = rest.find('\n');
		reader(rest.substr(0, end));
		rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
	}
	return 0;
}
