/// @file provision_policy.cpp  Reads policies from the database.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// All of them whenever one changes: they are few.

#include <array>

#include "policy_text.hpp"
#include "provision_take.hpp"

namespace bmd {

namespace {

// The numbers are those of PolicyWatcher and PolicyResource.
constexpr const char *rules_query =
		"SELECT rule_id, CASE WHEN username IS NOT NULL THEN 1 WHEN role_name IS NOT NULL THEN 2 "
		"WHEN team_name IS NOT NULL THEN 3 WHEN anyone THEN 4 ELSE 5 END, "
		"coalesce(username, role_name, team_name, domain, ''), "
		"CASE WHEN serial IS NOT NULL THEN 1 WHEN patient_id IS NOT NULL THEN 2 "
		"WHEN feed IS NOT NULL THEN 3 WHEN group_name IS NOT NULL THEN 4 "
		"WHEN area_name IS NOT NULL THEN 5 WHEN type_name IS NOT NULL THEN 6 ELSE 7 END, "
		"coalesce(serial, patient_id::text, feed, group_name, area_name, type_name, ''), "
		"decision, shown, most_subscriptions, valid_from, valid_until, "
		"(SELECT bit_or(1 << (d - 1)) FROM unnest(days) d)::int, "
		"extract(epoch FROM hours_from)::int, extract(epoch FROM hours_until)::int "
		"FROM bmd_policy_rule";

constexpr const char *policy_members_query =
		"SELECT 'role ' || role_name, username FROM bmd_role_member "
		"WHERE role_name IN (SELECT role_name FROM bmd_policy_rule) "
		"UNION ALL SELECT 'team ' || team_name, username FROM bmd_team_member "
		"WHERE team_name IN (SELECT team_name FROM bmd_policy_rule)";

// Nobody waits any more where no rule makes anybody wait.
constexpr const char *answers_query =
		"SELECT username, feed, approved FROM bmd_policy_answer "
		"WHERE EXISTS (SELECT FROM bmd_policy_rule WHERE decision = 'confirm')";

constexpr const char *zone_query =
		"SELECT text_value FROM bmd_setting WHERE name = 'time_zone' AND text_value IS NOT NULL";

// What is not understood is refused to everybody it is for.
PolicyRule rule_from(const PgFields &row)
{
	PolicyRule rule;
	rule.id = static_cast<std::int32_t>(row.integer(0));
	rule.watcher = static_cast<PolicyWatcher>(row.integer(1));
	rule.who = row.text(2);
	rule.resource = static_cast<PolicyResource>(row.integer(3));
	rule.what = row.text(4);
	const auto decision = parse_decision(row.text(5));
	rule.decision = decision ? *decision : Decision::block;
	const auto shown = parse_shown(row.text(6));
	rule.shown = shown ? *shown : Shown{false, false, false};
	rule.most = static_cast<std::uint32_t>(row.integer(7));
	rule.from = row.time(8);
	rule.until = row.time(9);
	rule.hours.days = static_cast<std::uint8_t>(row.integer(10));
	rule.hours.from = static_cast<std::int32_t>(row.integer(11));
	rule.hours.until = static_cast<std::int32_t>(row.integer(12));
	return rule;
}

template <class Take> Result<bool> each_row(Pg &pg, const char *query, Take take)
{
	return stream_rows(pg, query, [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			take(row);
	});
}

} // namespace

Result<bool> take_policy(Pg &pg)
{
	std::vector<PolicyRule> rules;
	std::vector<Policy::Pair> members;
	std::map<Policy::Pair, bool> answers;
	std::string zone;
	auto read = each_row(
			pg, rules_query, [&](const PgFields &row) { rules.push_back(rule_from(row)); });
	if(read)
		read = each_row(pg, policy_members_query,
				[&](const PgFields &row) { members.emplace_back(row.text(0), row.text(1)); });
	if(read)
		read = each_row(pg, answers_query, [&](const PgFields &row) {
			answers[{std::string(row.text(0)), std::string(row.text(1))}] = row.truth(2);
		});
	if(read)
		read = each_row(pg, zone_query, [&](const PgFields &row) { zone = row.text(0); });
	if(read) // without room the old one stays, which has been said
		(void)publish_policy(
				Policy(std::move(rules), std::move(members), std::move(answers), std::move(zone)));
	return read;
}

} // namespace bmd
