/// @file civil.cpp  Wall clocks of places, by the date library.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/civil.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace bmd {

namespace {

CivilTime floor_div(CivilTime a, CivilTime b) noexcept
{
	return a / b - (a % b < 0 ? 1 : 0);
}

date::sys_seconds seconds_of(TimeUs instant)
{
	return date::sys_seconds(std::chrono::seconds(floor_div(instant, second_us)));
}

// One span of hours, which begins on the day number `day`; false when that is none of its days.
struct Span
{
	TimeUs from;
	TimeUs until;
};

bool span_of(const Hours &hours, const Zone &zone, CivilTime day, Span &span)
{
	const CivilTime weekday = ((day + 3) % 7 + 7) % 7; // 1970-01-01 was a Thursday
	if((hours.days >> weekday & 1) == 0)
		return false;
	const CivilTime begin = day * civil_day;
	span.from = zone.instant(begin + hours.from);
	span.until = zone.instant(begin + hours.until + (hours.until <= hours.from ? civil_day : 0));
	return true;
}

} // namespace

Result<Zone> Zone::find(std::string_view name)
{
	try {
		return Zone(date::locate_zone(std::string(name)));
	} catch(const std::exception &) {
		return malformed("there is no time zone \"" + std::string(name.substr(0, 64)) + "\"");
	}
}

Zone Zone::utc()
{
	return Zone(date::locate_zone("Etc/UTC"));
}

CivilTime Zone::civil(TimeUs instant) const
{
	return zone_->to_local(seconds_of(instant)).time_since_epoch().count();
}

TimeUs Zone::instant(CivilTime time) const
{
	const date::local_seconds local{std::chrono::seconds(time)};
	return zone_->to_sys(local, date::choose::earliest).time_since_epoch().count() * second_us;
}

std::string Zone::name() const
{
	return zone_->name();
}

std::string Zone::format(TimeUs instant) const
{
	const auto offset = zone_->get_info(seconds_of(instant)).offset.count() / 60;
	const std::string text = format_time(civil(instant) * second_us).substr(0, 19);
	std::array<char, 16> tail{};
	std::snprintf(tail.data(), tail.size(), "%c%02d:%02d", offset < 0 ? '-' : '+',
			static_cast<int>(std::abs(offset) / 60) % 100, static_cast<int>(std::abs(offset) % 60));
	return text + tail.data();
}

bool Hours::always() const noexcept
{
	return days == every_day && (until - from == civil_day || until == from);
}

bool within(const Hours &hours, const Zone &zone, TimeUs at)
{
	if(hours.always())
		return true;
	const CivilTime today = floor_div(zone.civil(at), civil_day);
	for(CivilTime day = today - 2; day <= today + 1; ++day)
		if(Span span{}; span_of(hours, zone, day, span) && span.from <= at && at < span.until)
			return true;
	return false;
}

TimeUs next_edge(const Hours &hours, const Zone &zone, TimeUs at)
{
	if(hours.always() || hours.days == 0)
		return 0;
	const CivilTime today = floor_div(zone.civil(at), civil_day);
	TimeUs next = 0;
	const auto look = [&](TimeUs edge) {
		if(edge > at && (next == 0 || edge < next))
			next = edge;
	};
	for(CivilTime day = today - 2; day <= today + 8; ++day) {
		if(Span span{}; span_of(hours, zone, day, span)) {
			look(span.from);
			look(span.until);
		}
	}
	return next;
}

} // namespace bmd
