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

namespace bmd {

namespace {

// Of each alert that is not closed the last step that is stored, and the last one that was made
// known.
constexpr const char *steps =
		"SELECT a.alert_id, GREATEST(e.number, v.number), COALESCE(e.base_at, a.raised_at), "
		"COALESCE(e.number > COALESCE(v.number, 0) AND e.people > 0 "
		"AND NOT (e.number = 1 AND e.whom = 'responsible technicians'), false) "
		"FROM bmd_alert a LEFT JOIN LATERAL (SELECT number, base_at, people, whom "
		"FROM bmd_escalation s WHERE s.alert_id = a.alert_id ORDER BY number DESC LIMIT 1) e ON "
		"true "
		"LEFT JOIN LATERAL (SELECT max(substring(through FROM '^step ([0-9]{1,9})$')::int) AS "
		"number "
		"FROM bmd_alert_event n WHERE n.alert_id = a.alert_id AND n.event = 'escalated') v ON true "
		"WHERE a.closed_at IS NULL AND (e.number IS NOT NULL OR v.number IS NOT NULL)";
constexpr const char *recipients =
		"SELECT r.alert_id, r.feed FROM bmd_escalation_recipient r JOIN bmd_alert a "
		"USING (alert_id) WHERE a.closed_at IS NULL AND EXISTS (SELECT FROM bmd_escalation e "
		"WHERE e.alert_id = r.alert_id AND e.number >= r.number)";

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
	rec.flags.store(row.truth(3) ? escalation_unfinished : 0);
}

} // namespace

Result<bool> load_escalations(Pg &pg)
{
	const Slots slots = unclosed_slots();
	auto done = stream_rows(pg, steps, [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			take_step(slots, row);
	});
	if(!done)
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
