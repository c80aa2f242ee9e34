/// @file reached_start.cpp  Whom the alerts that are not closed have reached, from the database.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <cstring>

#include "pg.hpp"
#include "pg_stream.hpp"
#include "reached.hpp"

namespace bmd {

namespace {

// A person's terminals may have taken hundreds of states of an alert: not all are read.
constexpr const char *subscribers =
		"SELECT a.alert_id, d.username, d.answered_at FROM bmd_alert a CROSS JOIN LATERAL "
		"(SELECT username, answered_at FROM bmd_delivery d WHERE d.alert_id = a.alert_id "
		"AND way = 'subscription' AND code BETWEEN 200 AND 299 LIMIT 256) d "
		"WHERE a.closed_at IS NULL";
// What a terminal was told last follows from the state of the alert that the text was about.
constexpr const char *messages =
		"SELECT DISTINCT ON (d.alert_id, d.username, d.way, d.terminal) d.alert_id, d.username, "
		"d.way, d.terminal, d.answered_at, coalesce(e.state, a.state) = 'cleared', "
		"coalesce(e.response, a.response) IN ('accepted', 'acknowledged'), "
		"coalesce(e.priority, a.priority) "
		"FROM bmd_alert a JOIN bmd_delivery d USING (alert_id) LEFT JOIN bmd_alert_event e "
		"ON e.alert_id = d.alert_id AND e.revision = d.revision "
		"WHERE a.closed_at IS NULL AND d.way IN ('message', 'call') "
		"AND d.code BETWEEN 200 AND 299 "
		"ORDER BY d.alert_id, d.username, d.way, d.terminal, d.revision DESC, d.sent_at DESC";
// Whom the last step has called.  A terminal that refused the body, or was cancelled, says nothing
// of the person: others may have been ringing still, or the call was to be made again.
constexpr const char *called =
		"SELECT DISTINCT d.alert_id, d.username FROM bmd_alert a CROSS JOIN LATERAL "
		"(SELECT begun_at FROM bmd_escalation s WHERE s.alert_id = a.alert_id "
		"ORDER BY number DESC LIMIT 1) e JOIN bmd_delivery d ON d.alert_id = a.alert_id "
		"AND d.way = 'call' AND d.sent_at >= e.begun_at WHERE a.closed_at IS NULL "
		"AND d.code NOT IN (400, 406, 413, 415, 420, 487, 488, 500, 501, 513)";
constexpr const char *answers =
		"SELECT e.alert_id, e.who, min(e.at) FROM bmd_alert a JOIN bmd_alert_event e "
		"USING (alert_id) WHERE a.closed_at IS NULL AND e.who IS NOT NULL "
		"AND e.event IN ('accepted', 'rejected', 'acknowledged', 'resolved', 'silenced') "
		"AND e.through IS DISTINCT FROM 'kamcmd' GROUP BY 1, 2";

bool take_id(const PgFields &row, Uuid &id)
{
	if(row.text(0).size() != id.size())
		return false;
	std::memcpy(id.data(), row.text(0).data(), id.size());
	return true;
}

void take_message(const PgFields &row)
{
	Uuid id{};
	if(!take_id(row, id))
		return;
	if(row.text(2) == "call")
		return note_delivered(id, row.text(1), ReachedBy::call, row.time(4));
	MessageOutcome outcome{row.text(1), hash_name(row.text(3))};
	const auto priority = parse_priority(row.text(7));
	if(row.truth(5))
		outcome.told = BMD_TOLD_OVER;
	else if(row.truth(6))
		outcome.told = BMD_TOLD_TAKEN;
	else
		outcome.told = told_waiting(priority.value_or(Priority::high));
	outcome.taken = true;
	outcome.at = row.time(4);
	note_message(id, outcome);
	note_asked(id, row.text(1), ReachedBy::message);
}

Result<bool> take_people(Pg &pg, const char *query, ReachedBy by)
{
	return stream_rows(pg, query, [by](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			if(Uuid id{}; take_id(row, id))
				note_delivered(id, row.text(1), by, row.time(2));
	});
}

} // namespace

Result<bool> load_reached(Pg &pg)
{
	auto done = stream_rows(pg, messages, [](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			take_message(row);
	});
	if(done)
		done = stream_rows(pg, called, [](std::span<const PgFields> rows) {
			for(const PgFields &row : rows)
				if(Uuid id{}; take_id(row, id))
					note_called(id, row.text(1));
		});
	if(done)
		done = take_people(pg, answers, ReachedBy::answer);
	return done ? take_people(pg, subscribers, ReachedBy::subscription) : done;
}

} // namespace bmd
