/// @file roster_test.cpp  Unit tests for bmd/civil.hpp and bmd/roster.hpp; the rosters stand in
/// roster_cases.tsv, what they mean in the table that roster_oracle.py makes with Python's
/// zoneinfo. SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/roster.hpp"

#include <fstream>
#include <map>
#include <sstream>

#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::CivilTime;
using bmd::TimeUs;
using bmd::Zone;

TimeUs utc(const std::string &text)
{
	return bmd::parse_time(text).value();
}

CivilTime wall(const std::string &day, const std::string &time)
{
	return utc(day + "T" + time + ":00Z") / bmd::second_us;
}

std::int32_t clock_of(const std::string &text)
{
	return std::stoi(text.substr(0, 2)) * 3600 + std::stoi(text.substr(3)) * 60;
}

std::vector<std::string> words(const std::string &cell)
{
	std::vector<std::string> list;
	std::istringstream text(cell);
	for(std::string word; std::getline(text, word, ',');)
		if(word != "-")
			list.push_back(word);
	return list;
}

bmd::RosterLayer layer_of(const std::vector<std::string> &cells)
{
	bmd::RosterLayer layer;
	layer.name = cells[2];
	layer.first_shift = wall(cells[3], cells[4]);
	layer.shift = std::stoll(cells[5]) * bmd::civil_hour;
	layer.hours.days = 0;
	for(const char day : cells[6])
		layer.hours.days |= static_cast<std::uint8_t>(1U << (day - '1'));
	layer.hours.from = clock_of(cells[7]);
	layer.hours.until = clock_of(cells[8]);
	layer.rotation = words(cells[9]);
	return layer;
}

std::vector<bmd::Roster> rosters()
{
	std::vector<bmd::Roster> all;
	for(const bmd_test::Row &row : bmd_test::read_tsv("roster_cases.tsv")) {
		const auto &cells = row.cells;
		if(cells[0] == "zone")
			all.push_back({cells[1], cells[2], {}, {}});
		else if(cells[0] == "layer")
			all.back().layers.push_back(layer_of(cells));
		else
			all.back().overrides.push_back(
					{std::stoll(cells[2]), cells[3], utc(cells[4]), utc(cells[5]), utc(cells[6])});
	}
	return all;
}

struct Turn
{
	TimeUs from;
	std::string person;
};
using Table = std::map<std::string, std::vector<Turn>>;

Table oracle()
{
	Table table;
	std::ifstream file("build/asan/roster_oracle.tsv");
	for(std::string name, person; file >> name;) {
		std::int64_t seconds = 0;
		file >> seconds >> person;
		table[name].push_back({seconds * bmd::second_us, person == "-" ? "" : person});
	}
	CU_ASSERT(!table.empty());
	return table;
}

// The changes of person within 2026, found by following `until`.
std::vector<Turn> walk(const bmd::Roster &roster, TimeUs end)
{
	std::vector<Turn> turns;
	for(TimeUs at = utc("2026-01-01T00:00:00Z"); at != 0 && at < end;) {
		const auto now = bmd::on_call(roster, at);
		CU_ASSERT(now.ok());
		if(!now.ok())
			break;
		if(turns.empty() || turns.back().person != now->person)
			turns.push_back({at, now->person});
		CU_ASSERT(now->until == 0 || now->until > at);
		at = now->until;
	}
	return turns;
}

void a_year_with_both_clock_changes_is_as_the_oracle_says()
{
	const Table table = oracle();
	for(const bmd::Roster &roster : rosters()) {
		const std::vector<Turn> ours = walk(roster, utc("2027-01-01T00:00:00Z"));
		const std::vector<Turn> &theirs = table.at(roster.team);
		BMD_EQUAL(ours.size(), theirs.size());
		for(std::size_t i = 0; i < ours.size() && i < theirs.size(); ++i) {
			if(ours[i].from == theirs[i].from && ours[i].person == theirs[i].person)
				continue;
			BMD_EQUAL(roster.team + " " + bmd::format_time(ours[i].from) + " " + ours[i].person,
					roster.team + " " + bmd::format_time(theirs[i].from) + " " + theirs[i].person);
			break;
		}
	}
}

void a_moment_between_two_changes_has_the_person_of_the_first()
{
	const Table table = oracle();
	for(const bmd::Roster &roster : rosters()) {
		const std::vector<Turn> &turns = table.at(roster.team);
		for(std::size_t i = 0; i + 1 < turns.size(); i += 7) {
			for(const TimeUs at : {turns[i].from, (turns[i].from + turns[i + 1].from) / 2,
						turns[i + 1].from - 1}) {
				const auto now = bmd::on_call(roster, at);
				CU_ASSERT(now.ok() && now->person == turns[i].person);
			}
		}
	}
}

void times_that_are_skipped_or_shown_twice_have_one_moment()
{
	const Zone zone = Zone::find("Europe/Berlin").value();
	const auto at = [&](const char *day, const char *time) {
		return bmd::format_time(zone.instant(wall(day, time))).substr(0, 16);
	};
	BMD_EQUAL(at("2026-03-29", "01:59"), "2026-03-29T00:59");
	BMD_EQUAL(at("2026-03-29", "02:30"), "2026-03-29T01:00");
	BMD_EQUAL(at("2026-03-29", "03:00"), "2026-03-29T01:00");
	BMD_EQUAL(at("2026-10-25", "02:30"), "2026-10-25T00:30");
	BMD_EQUAL(at("2026-10-25", "03:00"), "2026-10-25T02:00");
	BMD_EQUAL(zone.format(utc("2026-10-25T01:30:00Z")), "2026-10-25T02:30:00+01:00");
	BMD_EQUAL(Zone::find("America/New_York")->format(utc("2026-07-01T00:30:00Z")),
			"2026-06-30T20:30:00-04:00");
}

void a_night_at_a_clock_change_has_11_or_13_hours()
{
	const auto length = [](const char *evening) {
		bmd::Roster roster{"t", "Europe/Berlin", {}, {}};
		bmd::RosterLayer &layer = roster.layers.emplace_back();
		layer.name = "halves";
		layer.rotation = {"anna", "boris"};
		layer.first_shift = wall("2026-01-01", "20:00");
		layer.shift = 12 * bmd::civil_hour;
		const TimeUs begin = Zone::find("Europe/Berlin")->instant(wall(evening, "20:00"));
		return (bmd::on_call(roster, begin)->until - begin) / bmd::second_us / 3600;
	};
	BMD_EQUAL(length("2026-03-27"), 12);
	BMD_EQUAL(length("2026-03-28"), 11);
	BMD_EQUAL(length("2026-10-24"), 13);
}

void who_is_on_call_now_is_the_same_without_looking_ahead()
{
	bmd::Roster roster{"t", "Europe/Berlin", {}, {}};
	roster.layers.push_back({"weeks", {"anna", "boris"}, 0, bmd::civil_day, {}});
	const bmd::TimeUs at = utc("2026-03-29T00:30:00Z");
	const auto both = bmd::on_call(roster, at);
	const auto now = bmd::on_call_now(roster, at);
	CU_ASSERT(both->person == now->person && both->why == now->why && !now->person.empty());
	CU_ASSERT(both->until > at);
	BMD_EQUAL(now->until, 0);
}

void nobody_is_said_with_a_reason()
{
	const bmd::Roster roster{"t", "Etc/UTC", {}, {}};
	const auto now = bmd::on_call(roster, utc("2026-01-01T00:00:00Z"));
	BMD_EQUAL(now->person, "");
	BMD_EQUAL(now->why, "no layer and no override covers this time");
	BMD_EQUAL(now->until, 0);
}

void an_unknown_zone_is_an_error_that_names_it()
{
	const auto now = bmd::on_call({"t", "Europe/Nowhere", {}, {}}, 0);
	CU_ASSERT(!now.ok());
	BMD_EQUAL(now.error().reason, "there is no time zone \"Europe/Nowhere\"");
}

CU_TestInfo cases[] = {BMD_CASE(a_year_with_both_clock_changes_is_as_the_oracle_says),
		BMD_CASE(a_moment_between_two_changes_has_the_person_of_the_first),
		BMD_CASE(times_that_are_skipped_or_shown_twice_have_one_moment),
		BMD_CASE(a_night_at_a_clock_change_has_11_or_13_hours),
		BMD_CASE(who_is_on_call_now_is_the_same_without_looking_ahead),
		BMD_CASE(nobody_is_said_with_a_reason), BMD_CASE(an_unknown_zone_is_an_error_that_names_it),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo roster_suite;
const CU_SuiteInfo roster_suite = BMD_SUITE("roster", cases);
