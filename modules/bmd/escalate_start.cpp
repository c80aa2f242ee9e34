/// @file escalate_start.cpp  Escalations go on where a server before this one left them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <cstring>
#include <map>

#include "escalate.hpp"
#include "exclusive.hpp"
#include "pg_stream.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "rejections.hpp"

namespace bmd {

namespace {

// Of each alert that is not closed the last step that is stored, and the last one that was made
// known.  After a step that found nobody the next was due at once: its time counts for nothing.
constexpr const char *steps =
		"SELECT a.alert_id, GREATEST(e.number, v.number), COALESCE(e.base_at, a.raised_at), "
		"COALESCE(e.number > COALESCE(v.number, 0) AND e.people > 0 "
		"AND NOT (e.number = 1 AND e.whom = 'responsible technicians'), false), "
		"CASE WHEN e.people = 0 AND e.number >= COALESCE(v.number, 0) THEN NULL "
		"ELSE GREATEST(e.begun_at, v.at) END "
		"FROM bmd_alert a LEFT JOIN LATERAL (SELECT number, base_at, begun_at, people, whom "
		"FROM bmd_escalation s WHERE s.alert_id = a.alert_id ORDER BY number DESC LIMIT 1) e ON "
		"true "
		"LEFT JOIN LATERAL (SELECT substring(through FROM '^step ([0-9]{1,9})$')::int AS "
		"number, n.at FROM bmd_alert_event n WHERE n.alert_id = a.alert_id "
		"AND n.event = 'escalated' ORDER BY 1 DESC NULLS LAST LIMIT 1) v ON true "
		"WHERE a.closed_at IS NULL AND (e.number IS NOT NULL OR v.number IS NOT NULL)";
constexpr const char *recipients =
		"SELECT r.alert_id, r.feed FROM bmd_escalation_recipient r JOIN bmd_alert a "
		"USING (alert_id) WHERE a.closed_at IS NULL AND EXISTS (SELECT FROM bmd_escalation e "
		"WHERE e.alert_id = r.alert_id AND e.number >= r.number)";

// Who has rejected them since they were raised, or came back.
constexpr const char *rejecters =
		"SELECT e.alert_id, e.who FROM bmd_alert a JOIN bmd_alert_event e USING (alert_id) "
		"WHERE a.closed_at IS NULL AND e.event = 'rejected' AND e.who <> '' AND e.revision > "
		"COALESCE((SELECT max(r.revision) FROM bmd_alert_event r WHERE r.alert_id = a.alert_id "
		"AND r.event = 'reopened'), 0) ORDER BY e.alert_id, e.revision";

using Slots = std::map<Uuid, Index>;

Slots unclosed_slots()
{
	const Store &s = *store();
	Slots slots;
	for(const Index head : {s.open_head, s.kept.head})
		for(Index i = head; i != 0; i = s.alerts[i].next_open)
			slots[s.alerts[i].id] = i;
	return slots;
}

Index slot_of(const Slots &slots, std::string_view id)
{
	Uuid uuid{};
	if(id.size() != uuid.size())
		return 0;
	std::memcpy(uuid.data(), id.data(), uuid.size());
	const auto found = slots.find(uuid);
	return found == slots.end() ? 0 : found->second;
}

void take_step(const Slots &slots, const PgFields &row)
{
	Store &s = *store();
	const Index slot = slot_of(slots, row.text(0));
	if(slot == 0)
		return;
	EscalationRec &rec = s.escalation[slot];
	rec.alert = s.alerts[slot].id;
	rec.begun = static_cast<std::uint32_t>(row.integer(1));
	// no later than now: over a clock that was set back steps would wait for as long as that
	rec.base = mono_now() - std::max<TimeUs>(wall_now() - row.time(2), 0);
	rec.last = row.null(4) ? 0 : mono_now() - std::max<TimeUs>(wall_now() - row.time(4), 0);
	// what is made known still asks for its calls itself
	rec.flags.store(row.truth(3) ? escalation_unfinished : escalation_call);
}

void take_rejection(const Slots &slots, const PgFields &row)
{
	if(const Index slot = slot_of(slots, row.text(0)); slot != 0)
		note_rejection(slot, row.text(1), false);
}

using Take = void (*)(const Slots &, const PgFields &);

Result<bool> load(Pg &pg, const char *query, const Slots &slots, Take take)
{
	return stream_rows(pg, query, [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			take(slots, row);
	});
}

} // namespace

Result<bool> load_escalations(Pg &pg)
{
	const Slots slots = unclosed_slots();
	if(auto done = load(pg, steps, slots, take_step); !done)
		return done;
	if(auto done = load(pg, rejecters, slots, take_rejection); !done)
		return done;
	return stream_rows(pg, recipients, [&](std::span<const PgFields> rows) {
		const RegistryWrite lock;
		for(const PgFields &row : rows) {
			const Index slot = slot_of(slots, row.text(0));
			const Index feed = find_feed(row.text(1));
			if(slot != 0 && feed != 0)
				(void)add_recipient(store()->alerts[slot].id, slot, feed);
		}
	});
}

} // namespace bmd
