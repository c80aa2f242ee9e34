/// @file dmp_duration.cpp  Durations of a Subscribe.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp_subscribe.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <vector>

#include "bmd/words.hpp"
#include "dmp_text.hpp"

namespace bmd::dmp {

namespace {

constexpr DurationUs minute_us = 60 * second_us;
constexpr DurationUs hour_us = 60 * minute_us;
constexpr DurationUs day_us = 24 * hour_us;
constexpr DurationUs longest_us = 36'525 * day_us; // 100 years
constexpr std::int64_t max_count = 1'000'000;

Error refused(std::string_view text, std::string_view why)
{
	return malformed("Duration: " + quoted(text) + " " + std::string(why));
}

Result<TimeUs> within_reason(std::string_view text, TimeUs now, TimeUs until)
{
	if(until > now + longest_us)
		return refused(text, "is more than 100 years");
	return until;
}

// Takes a whole number of at most max_count off the front.
std::optional<std::int64_t> take_count(std::string_view &text) noexcept
{
	if(text.empty() || text.front() < '0' || text.front() > '9')
		return std::nullopt;
	std::int64_t count = 0;
	const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count);
	if(error != std::errc{} || count > max_count)
		return std::nullopt;
	text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
	return count;
}

// The same day and time `months` later; a day the month lacks becomes its last.
TimeUs add_months(TimeUs time, std::int64_t months)
{
	using namespace std::chrono;
	const sys_time<microseconds> point{microseconds(time)};
	const auto day_start = floor<days>(point);
	const year_month_day date(day_start);
	const auto count = static_cast<int>(months);
	const year_month month = year_month(date.year(), date.month()) + std::chrono::months(count);
	year_month_day later(month / date.day());
	if(!later.ok())
		later = year_month_day(month / last);
	return (sys_days(later) + (point - day_start)).time_since_epoch().count();
}

struct Designator
{
	char letter;
	bool time; // after the T
	int months;
	DurationUs length;
};

constexpr std::array<Designator, 7> designators{{{'Y', false, 12, 0}, {'M', false, 1, 0},
		{'W', false, 0, 7 * day_us}, {'D', false, 0, day_us}, {'H', true, 0, hour_us},
		{'M', true, 0, minute_us}, {'S', true, 0, second_us}}};

// Decimals of a second, one to six digits after '.' or ','.  Absent: 0.
std::optional<DurationUs> take_fraction(std::string_view &text) noexcept
{
	if(text.empty() || (text.front() != '.' && text.front() != ','))
		return 0;
	text.remove_prefix(1);
	DurationUs fraction = 0;
	std::size_t digits = 0;
	for(; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
		fraction = fraction * 10 + (text.front() - '0');
		if(++digits > 6)
			return std::nullopt;
	}
	if(digits == 0)
		return std::nullopt;
	for(; digits < 6; ++digits)
		fraction *= 10;
	return fraction;
}

struct Span
{
	std::int64_t months = 0;
	DurationUs length = 0;
};

// Reads the parts after the P, each designator at most once and in order, weeks alone.
std::optional<Span> read_span(std::string_view rest)
{
	Span span;
	std::size_t next = 0;
	bool after_t = false;
	bool any = false;
	while(!rest.empty()) {
		if(rest.front() == 'T' && !after_t) {
			after_t = true;
			any = false;
			rest.remove_prefix(1);
			continue;
		}
		const auto count = take_count(rest);
		const std::size_t whole = rest.size();
		const auto fraction = take_fraction(rest);
		if(!count || !fraction || rest.empty() || (rest.size() != whole && rest.front() != 'S'))
			return std::nullopt;
		while(next < designators.size()
				&& (designators[next].letter != rest.front() || designators[next].time != after_t))
			++next;
		if(next == designators.size() || (rest.front() == 'W' && (any || rest.size() > 1)))
			return std::nullopt;
		span.months += *count * designators[next].months;
		span.length += *count * designators[next].length + *fraction;
		any = true;
		++next;
		rest.remove_prefix(1);
	}
	return any ? std::optional(span) : std::nullopt;
}

Result<TimeUs> iso_duration(std::string_view text, TimeUs now)
{
	const auto span = read_span(text.substr(1));
	if(!span)
		return refused(text, "is not an ISO 8601 duration");
	if(span->months > 1200 || span->length > longest_us)
		return refused(text, "is more than 100 years");
	return within_reason(text, now, add_months(now, span->months) + span->length);
}

std::vector<std::string> words_of(std::string_view text)
{
	std::vector<std::string> words(1);
	for(const char c : text) {
		if(trim({&c, 1}).empty())
			words.emplace_back();
		else
			words.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
	}
	std::erase(words, "");
	return words;
}

struct Unit
{
	std::string_view name;
	DurationUs length;
};

constexpr std::array<Unit, 5> units{{{"second", second_us}, {"minute", minute_us},
		{"hour", hour_us}, {"day", day_us}, {"week", 7 * day_us}}};

// "next 5 days", "next day"; `words` is what follows "next".
std::optional<DurationUs> next_words(const std::vector<std::string> &words, std::size_t at)
{
	std::int64_t count = 1;
	const bool counted = words.size() - at == 2;
	if(counted) {
		std::string_view number = words[at++];
		const auto read = take_count(number);
		if(!read || !number.empty())
			return std::nullopt;
		count = *read;
	}
	if(words.size() - at != 1)
		return std::nullopt;
	std::string_view name = words[at];
	if(counted && name.ends_with('s'))
		name.remove_suffix(1);
	for(const Unit &unit : units)
		if(unit.name == name)
			return count * unit.length;
	return std::nullopt;
}

// "17:00", "5pm", "5:30pm": time since midnight.
std::optional<DurationUs> time_of_day(std::string_view text)
{
	const bool am = text.ends_with("am");
	const bool pm = text.ends_with("pm");
	if(am || pm)
		text.remove_suffix(2);
	auto hour = take_count(text);
	std::optional<std::int64_t> minute = 0;
	const bool has_minute = text.starts_with(':');
	if(has_minute) {
		text.remove_prefix(1);
		const std::size_t before = text.size();
		minute = take_count(text);
		if(before - text.size() != 2)
			return std::nullopt;
	}
	// "till 17" could be a day or an hour
	if(!hour || !minute || !text.empty() || *minute > 59 || (!has_minute && !am && !pm))
		return std::nullopt;
	if(am || pm) {
		if(*hour < 1 || *hour > 12)
			return std::nullopt;
		hour = *hour % 12 + (pm ? 12 : 0);
	}
	if(*hour > 23)
		return std::nullopt;
	return *hour * hour_us + *minute * minute_us;
}

TimeUs next_time_of_day(DurationUs since_midnight, TimeUs now, DurationUs utc_offset)
{
	const TimeUs local = now + utc_offset;
	const TimeUs midnight = local - local % day_us;
	TimeUs until = midnight + since_midnight;
	if(until <= local)
		until += day_us;
	return until - utc_offset;
}

Result<TimeUs> in_words(std::string_view text, TimeUs now, DurationUs utc_offset)
{
	const std::vector<std::string> words = words_of(text);
	if(words.size() == 2 && (words[0] == "till" || words[0] == "until")) {
		const auto time = time_of_day(words[1]);
		if(!time)
			return refused(text, "does not name a time of day such as 17:00 or 5pm");
		return next_time_of_day(*time, now, utc_offset);
	}
	std::size_t at = 0;
	if(at < words.size() && words[at] == "for")
		++at;
	if(at < words.size() && words[at] == "the")
		++at;
	if(at < words.size() && words[at] == "next") {
		const auto length = next_words(words, at + 1);
		if(!length)
			return refused(text, "does not say how many seconds, minutes, hours, days or weeks");
		return within_reason(text, now, now + *length);
	}
	return refused(text, "is no duration, date-time, 'next N days' or 'till HH:MM'");
}

} // namespace

Result<TimeUs> parse_duration(std::string_view text, TimeUs now, DurationUs utc_offset)
{
	text = trim(text);
	if(text.empty())
		return refused(text, "is empty");
	if(text == "0")
		return now;
	if(text.front() == 'P')
		return iso_duration(text, now);
	if(text.front() < '0' || text.front() > '9')
		return in_words(text, now, utc_offset);
	const auto until = parse_time(text);
	if(!until)
		return refused(text, "is not a date-time with Z or an offset");
	if(*until < now)
		return refused(text, "lies in the past");
	return within_reason(text, now, *until);
}

} // namespace bmd::dmp
