/// @file provision_watchers.cpp  Reads the rules of watchers from the database.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// All of them whenever one changes: they are few.

#include "provision_take.hpp"
#include "watcher_text.hpp"

namespace bmd {

namespace {

#define BMD_RULE                                                                    \
	"type_name, group_name, metric, kind, priority, persistence, most_per_minute, " \
	"digest_every, digest_medium FROM bmd_watcher_rule "
constexpr const char *query =
		"SELECT rule_id, 1, username, NULL::text, " BMD_RULE "WHERE username IS NOT NULL "
		"UNION ALL SELECT rule_id, 2, m.username, team_name, " BMD_RULE
		"JOIN bmd_team_member m USING (team_name) "
		"UNION ALL SELECT rule_id, 3, 'grp.' || feed_group, NULL, " BMD_RULE
		"WHERE feed_group IS NOT NULL ORDER BY 1, 3";
#undef BMD_RULE

WatcherRule rule_from(const PgFields &row)
{
	WatcherRule rule;
	rule.id = static_cast<std::int32_t>(row.integer(0));
	rule.scope = static_cast<WatcherScope>(row.integer(1));
	rule.who = row.text(2);
	rule.team = row.text(3);
	rule.device_type = row.text(4);
	rule.group = row.text(5);
	rule.metric = row.text(6);
	rule.kind = parse_kind(row.text(7));
	rule.priority = parse_priority(row.text(8));
	rule.persistence = row.duration(9);
	rule.most_per_minute = static_cast<std::uint32_t>(row.integer(10));
	rule.digest_every = row.duration(11);
	rule.digest_medium = row.truth(12);
	return rule;
}

} // namespace

Result<bool> take_watcher_rules(Pg &pg)
{
	std::vector<WatcherRule> rules;
	auto read = stream_rows(pg, query, [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			rules.push_back(rule_from(row));
	});
	if(read)
		(void)publish_watcher_rules(rules); // without room the old ones stay, which has been said
	return read;
}

} // namespace bmd
