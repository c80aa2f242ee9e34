/// @file provision_duty.cpp  Reads teams, rosters and policies from the database.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// All of them whenever one changes: they are few.

#include <map>

#include "duty_text.hpp"
#include "provision_take.hpp"

namespace bmd {

namespace {

constexpr const char *settings = "SELECT name, text_value FROM bmd_setting "
								 "WHERE text_value IS NOT NULL";
constexpr const char *teams =
		"SELECT t.team_id, t.team_name, m.username FROM bmd_team t LEFT JOIN (bmd_team_member m "
		"JOIN bmd_technician p ON p.username = m.username AND p.enabled) USING (team_name) "
		"ORDER BY t.team_id, m.username";
constexpr const char *group_teams =
		"SELECT group_name, team_name FROM bmd_assignment "
		"WHERE group_name IS NOT NULL AND team_name IS NOT NULL ORDER BY 1, 2";
constexpr const char *rosters = "SELECT team_name, COALESCE(time_zone, (SELECT text_value FROM "
								"bmd_setting WHERE name = 'time_zone'), 'Etc/UTC') FROM bmd_roster "
								"ORDER BY team_name";
// Hours as a mask of days and seconds of the day.
#define BMD_HOURS                                                                 \
	"(SELECT bit_or(1 << (d - 1)) FROM unnest(days) d)::int, extract(epoch FROM " \
	"hours_from)::int, extract(epoch FROM hours_until)::int"
constexpr const char *layers =
		"SELECT l.team_name, l.layer_id, l.layer_name, extract(epoch FROM l.starts_on + "
		"l.hand_over)::bigint, extract(epoch FROM l.shift)::bigint, " BMD_HOURS
		", m.username FROM bmd_roster_layer l LEFT JOIN bmd_roster_member m USING (layer_id) "
		"ORDER BY l.team_name, l.position, l.layer_id, m.position";
// Those over for a week explain nothing any more.
constexpr const char *overrides =
		"SELECT team_name, override_id, username, starts_at, ends_at, created_at "
		"FROM bmd_roster_override WHERE ends_at > now() - interval '7 days' "
		"ORDER BY team_name, override_id";
constexpr const char *policies =
		"SELECT policy_id, policy_name, priority, type_name, group_name, " BMD_HOURS
		", repeat_after FROM bmd_escalation_policy ORDER BY policy_id";
constexpr const char *steps =
		"SELECT policy_id, after, whom, COALESCE(team_name, username, group_name, ''), "
		"('subscribe' = ANY (how))::int + 2 * ('message' = ANY (how))::int + "
		"4 * ('call' = ANY (how))::int FROM bmd_escalation_step ORDER BY policy_id, position";
#undef BMD_HOURS

Hours hours_of(const PgFields &row, std::size_t first)
{
	return {static_cast<std::uint8_t>(row.integer(first)),
			static_cast<std::int32_t>(row.integer(first + 1)),
			static_cast<std::int32_t>(row.integer(first + 2))};
}

template <class T> T *by_team(std::vector<T> &all, std::string_view team)
{
	for(T &one : all)
		if(one.team == team)
			return &one;
	return nullptr;
}

// Runs a query and hands its rows over one by one.
template <class Take> Result<bool> each(Pg &pg, const char *query, Take take)
{
	return stream_rows(pg, query, [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			take(row);
	});
}

Result<bool> read_teams(Pg &pg, Duty &duty)
{
	auto done = each(pg, settings, [&](const PgFields &row) {
		(row.text(0) == "time_zone" ? duty.zone : duty.default_team) = row.text(1);
	});
	if(!done)
		return done;
	done = each(pg, teams, [&](const PgFields &row) {
		const auto id = static_cast<std::int32_t>(row.integer(0));
		if(duty.teams.empty() || duty.teams.back().id != id)
			duty.teams.push_back({id, std::string(row.text(1)), {}});
		if(!row.null(2))
			duty.teams.back().members.emplace_back(row.text(2));
	});
	if(!done)
		return done;
	return each(pg, group_teams, [&](const PgFields &row) {
		duty.group_teams.push_back({std::string(row.text(0)), std::string(row.text(1))});
	});
}

void take_layer(const PgFields &row, std::int64_t &layer_id, Duty &duty)
{
	Roster *roster = by_team(duty.rosters, row.text(0));
	if(roster == nullptr)
		return;
	if(row.integer(1) != layer_id) {
		layer_id = row.integer(1);
		roster->layers.push_back(
				{std::string(row.text(2)), {}, row.integer(3), row.integer(4), hours_of(row, 5)});
	}
	if(!row.null(8))
		roster->layers.back().rotation.emplace_back(row.text(8));
}

Result<bool> read_rosters(Pg &pg, Duty &duty)
{
	auto done = each(pg, rosters, [&](const PgFields &row) {
		duty.rosters.push_back({std::string(row.text(0)), std::string(row.text(1)), {}, {}});
	});
	if(!done)
		return done;
	std::int64_t layer_id = 0;
	done = each(pg, layers, [&](const PgFields &row) { take_layer(row, layer_id, duty); });
	if(!done)
		return done;
	return each(pg, overrides, [&](const PgFields &row) {
		if(Roster *roster = by_team(duty.rosters, row.text(0)); roster != nullptr)
			roster->overrides.push_back({row.integer(1), std::string(row.text(2)), row.time(3),
					row.time(4), row.time(5)});
	});
}

Result<bool> read_policies(Pg &pg, Duty &duty)
{
	auto done = each(pg, policies, [&](const PgFields &row) {
		EscalationPolicy &policy = duty.policies.emplace_back();
		policy.id = static_cast<std::int32_t>(row.integer(0));
		policy.name = row.text(1);
		policy.priority = parse_priority(row.text(2));
		policy.device_type = row.text(3);
		policy.group = row.text(4);
		policy.hours = hours_of(row, 5);
		policy.repeat = row.duration(8);
	});
	if(!done)
		return done;
	return each(pg, steps, [&](const PgFields &row) {
		for(EscalationPolicy &policy : duty.policies)
			if(const auto whom = parse_whom(row.text(2)); policy.id == row.integer(0) && whom)
				policy.steps.push_back({row.duration(1), *whom, std::string(row.text(3)),
						static_cast<std::uint8_t>(row.integer(4))});
	});
}

} // namespace

Result<bool> take_duty(Pg &pg)
{
	Duty duty;
	for(const auto read : {read_teams, read_rosters, read_policies})
		if(auto done = read(pg, duty); !done)
			return done;
	(void)publish_duty(duty); // without room the old ones stay, which has been said
	return true;
}

} // namespace bmd
