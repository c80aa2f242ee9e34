/// @file time.cpp  RFC 3339 times.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/time.hpp"

#include <array>
#include <cstdio>

#include "bmd/words.hpp"

namespace bmd {

namespace {

constexpr std::int64_t day_seconds = 86'400;

// Days from 1970-01-01 of a proleptic Gregorian date (H. Hinnant, "chrono-Compatible Low-Level
// Date Algorithms"), and back.
constexpr std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) noexcept
{
	y -= m <= 2 ? 1 : 0;
	const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
	const auto yoe = static_cast<unsigned>(y - era * 400);
	const unsigned doy = (153 * (m + (m > 2 ? -3U : 9U)) + 2) / 5 + d - 1;
	const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146'097 + static_cast<std::int64_t>(doe) - 719'468;
}

struct Civil
{
	std::int64_t year;
	unsigned month;
	unsigned day;
};

constexpr Civil civil_from_days(std::int64_t z) noexcept
{
	z += 719'468;
	const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
	const auto doe = static_cast<unsigned>(z - era * 146'097);
	const unsigned yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
	const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const unsigned mp = (5 * doy + 2) / 153;
	const unsigned month = mp < 10 ? mp + 3 : mp - 9;
	const std::int64_t year = static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2 ? 1 : 0);
	return Civil{year, month, doy - (153 * mp + 2) / 5 + 1};
}

constexpr bool leap(std::int64_t y) noexcept
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

constexpr unsigned days_in_month(std::int64_t y, unsigned m) noexcept
{
	constexpr std::array<unsigned, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return m == 2 && leap(y) ? 29 : days[m - 1];
}

// Reads exactly `count` digits at `at`.  -1 when there are not so many.
int digits(std::string_view text, std::size_t at, std::size_t count) noexcept
{
	if(at + count > text.size())
		return -1;
	int value = 0;
	for(std::size_t i = at; i < at + count; ++i) {
		if(text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

// Reads ".123" at `at`, moves `at` past it.  False when malformed.
bool read_fraction(std::string_view text, std::size_t &at, std::int64_t &micros) noexcept
{
	micros = 0;
	if(at >= text.size() || text[at] != '.')
		return true;
	std::int64_t unit = 100'000;
	std::size_t count = 0;
	for(++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++count) {
		micros += unit * (text[at] - '0');
		unit /= 10;
	}
	return count >= 1 && count <= 9;
}

// Reads "Z" or "+hh:mm" at the end.  False when malformed.
bool read_offset(std::string_view text, std::size_t at, std::int64_t &seconds) noexcept
{
	seconds = 0;
	if(text.substr(at) == "Z" || text.substr(at) == "z")
		return true;
	if(text.size() != at + 6 || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':')
		return false;
	const int hour = digits(text, at + 1, 2);
	const int minute = digits(text, at + 4, 2);
	if(hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	seconds = (hour * 60 + minute) * 60;
	if(text[at] == '-')
		seconds = -seconds;
	return true;
}

} // namespace

std::string format_time(TimeUs time)
{
	std::int64_t seconds = time / second_us;
	std::int64_t micros = time % second_us;
	if(micros < 0) {
		micros += second_us;
		--seconds;
	}
	std::int64_t days = seconds / day_seconds;
	std::int64_t rest = seconds % day_seconds;
	if(rest < 0) {
		rest += day_seconds;
		--days;
	}
	const Civil civil = civil_from_days(days);
	std::array<char, 64> out{};
	const int length = std::snprintf(out.data(), out.size(),
			"%04lld-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<long long>(civil.year),
			civil.month, civil.day, static_cast<int>(rest / 3600), static_cast<int>(rest / 60 % 60),
			static_cast<int>(rest % 60), static_cast<int>(micros));
	return std::string(out.data(), static_cast<std::size_t>(length));
}

Result<TimeUs> parse_time(std::string_view text)
{
	const Error refused = malformed(quoted(text, 40) + " is no RFC 3339 time");
	const int year = digits(text, 0, 4);
	const int month = digits(text, 5, 2);
	const int day = digits(text, 8, 2);
	const int hour = digits(text, 11, 2);
	const int minute = digits(text, 14, 2);
	const int second = digits(text, 17, 2);
	if(text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't')
			|| text[13] != ':' || text[16] != ':')
		return refused;
	if(year < 1970 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0
			|| minute > 59 || second < 0 || second > 59
			|| static_cast<unsigned>(day) > days_in_month(year, static_cast<unsigned>(month)))
		return refused;
	std::size_t at = 19;
	std::int64_t micros = 0;
	std::int64_t offset = 0;
	if(!read_fraction(text, at, micros) || !read_offset(text, at, offset))
		return refused;
	const std::int64_t days =
			days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
	const std::int64_t seconds = days * day_seconds + hour * 3600 + minute * 60 + second - offset;
	return seconds * second_us + micros;
}

} // namespace bmd
