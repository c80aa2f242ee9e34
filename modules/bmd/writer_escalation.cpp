/// @file writer_escalation.cpp  Steps of escalations go to the database.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "writer_load.hpp"

namespace bmd {

namespace {

constexpr const char *copy_in_sql =
		"COPY bmd_escalation_in (alert_id, number, policy, step, round, whom, how, people, due_at, "
		"begun_at, base_at, why, feed) FROM STDIN (FORMAT binary)";
constexpr const char *insert_recipients =
		"INSERT INTO bmd_escalation_recipient (alert_id, feed, number, since) SELECT alert_id, "
		"feed, number, begun_at FROM bmd_escalation_in WHERE feed IS NOT NULL "
		"ON CONFLICT DO NOTHING";
constexpr const char *insert_steps =
		"INSERT INTO bmd_escalation (alert_id, number, policy, step, round, whom, how, people, "
		"due_at, begun_at, base_at, why) SELECT alert_id, number, policy, step, round, whom, how, "
		"people, due_at, begun_at, base_at, why FROM bmd_escalation_in WHERE feed IS NULL "
		"ON CONFLICT DO NOTHING";

} // namespace

Result<bool> Writer::copy_escalations(const Load &load)
{
	if(load.escalations.empty())
		return true;
	copy_.clear();
	for(const EscalationRow *row : load.escalations) {
		copy_.row(13);
		copy_.bytes(row->alert.data(), row->alert.size());
		copy_.int32(static_cast<std::int32_t>(row->number));
		copy_.text(row->policy);
		copy_.int32(static_cast<std::int32_t>(row->step));
		copy_.int32(static_cast<std::int32_t>(row->round));
		copy_.text(row->whom);
		copy_.text(row->how);
		copy_.int32(static_cast<std::int32_t>(row->people));
		copy_.timestamp(row->due_at);
		copy_.timestamp(row->begun_at);
		copy_.timestamp(row->base_at);
		copy_.text_or_null(row->why);
		copy_.text_or_null(row->feed);
	}
	if(auto copied = pg_.copy_in(copy_in_sql, copy_.finish()); !copied)
		return copied;
	for(const char *sql : {insert_recipients, insert_steps})
		if(auto done = pg_.run(sql); !done)
			return done.error();
	return true;
}

} // namespace bmd
