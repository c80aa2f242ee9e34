/// @file provision_start.cpp  What is loaded once, before the fork.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <cstring>

#include "bmd_host.h"
#include "changes.hpp"
#include "closed.hpp"
#include "documents.hpp"
#include "escalate.hpp"
#include "evaluate.hpp"
#include "filters_load.hpp"
#include "forget.hpp"
#include "numbering.hpp"
#include "provision.hpp"
#include "provision_take.hpp"
#include "reached.hpp"
#include "storm_keeper.hpp"
#include "subs.hpp"
#include "waiting.hpp"
#include "watchers.hpp"

namespace bmd {

namespace {

constexpr int least_schema = 30; // bmd_alert.condition withheld

Result<bool> check_schema(Pg &pg)
{
	auto row = pg.run("SELECT max(version) FROM bmd_schema_version");
	if(!row)
		return row.error();
	if(std::strtol(PQgetvalue(row->get(), 0, 0), nullptr, 10) < least_schema)
		return Error{Errc::fatal, "the database lacks migrations"};
	return true;
}

// Its device went, or changed hands, while the server was down, or it cannot come back any more:
// the alert closes in the database, too.
void close_orphan(AlertRec &alert, std::string_view event, const Actor &actor)
{
	alert.closed_at = alert.changed_at = wall_now();
	if(alert.state != AlertState::cleared)
		alert.cleared_at = alert.closed_at;
	alert.state = AlertState::cleared;
	alert.rises_at = alert.response.silenced_until = 0;
	++alert.revision;
	(void)journal_alert(alert, event, actor); // no room: the next start does it
}

// Why an alert does not go on; empty: it does.
std::string_view why_over(const AlertRec &alert, std::int32_t database_id)
{
	if(is_of_no_device(alert.condition))
		return {};
	if(alert.device == 0)
		return "removed";
	const bool enabled = store()->heard[alert.device].flags.load() & device_enabled;
	return why_other({database_id, alert.patient}, belonging_of(alert.device), enabled);
}

// A cleared one that may still come back.
void take_kept(AlertRec &alert, std::string_view over)
{
	const TimeUs now = wall_now();
	const bool late = now - alert.cleared_at >= store()->settings.reopen.load();
	if(!over.empty() || late || restore_alert(alert) == 0)
		close_orphan(alert, "closed", {{}, {}, over.empty() ? "condition gone" : over});
}

void take_alert(AlertRec alert, std::int32_t database_id, const Uuid &storm)
{
	alert.device = find_device(alert.serial);
	const std::string_view over = why_over(alert, database_id);
	if(alert.state == AlertState::cleared)
		return take_kept(alert, over);
	if(!over.empty())
		return close_orphan(alert, over, Actor{});
	const Index slot = restore_alert(alert);
	if(slot == 0)
		return complain(count_alerts_lost_memory,
				"the alert book has no room for all open alerts: raise the parameter \"alerts\"");
	if(is_of_no_device(alert.condition))
		return;
	if(alert.response.suppressed == Suppression::storm)
		remember_member(slot, storm);
	adopt_alert(slot);
}

// All zero: none.
Uuid uuid_of(const PgFields &row, std::size_t column)
{
	Uuid id{};
	if(row.text(column).size() == id.size())
		std::memcpy(id.data(), row.text(column).data(), id.size());
	return id;
}

Result<bool> load_alerts(Pg &pg)
{
	return stream_rows(
			pg, unclosed_alerts_query(store()->alerts.size), [](std::span<const PgFields> rows) {
				const RegistryWrite lock;
				for(const PgFields &row : rows)
					take_alert(alert_of(row), static_cast<std::int32_t>(row.integer(15)),
							uuid_of(row, 31));
			});
}

void take_closed(const PgFields &row)
{
	const Uuid id = uuid_of(row, 0);
	if(id == Uuid{})
		return;
	know_closed(id, static_cast<std::uint32_t>(row.integer(1)));
}

Result<bool> load_closed(Pg &pg)
{
	auto read = stream_rows(pg, closed_alerts_query(), [](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			take_closed(row);
	});
	closed_known();
	return read;
}

void take_collector(const PgFields &row)
{
	const Index i = find_collector(row.text(1), true);
	if(i == 0)
		return no_room("collector", row.text(1));
	CollectorRec &collector = store()->collectors[i];
	collector.database_id.store(static_cast<std::int32_t>(row.integer(0)));
	// Absurd (taken by an older release): no real epoch would ever be taken after it.
	if(row.integer(2) > wall_now() + epoch_ahead)
		return;
	collector.epoch = row.integer(2);
	collector.accepted_seq = row.integer(3);
	collector.durable_epoch.store(collector.epoch);
	collector.durable_seq.store(collector.accepted_seq);
}

Result<bool> load_collectors(Pg &pg)
{
	return stream_rows(pg, collectors_query(), [](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			take_collector(row);
	});
}

void take_subscription(const PgFields &row)
{
	const Resource resource = parse_resource(row.text(0));
	SubRef ref;
	mark_watched(resource.feed);
	if(resource.dialog == 0)
		return;
	const TimeUs expires = mono_now() + row.integer(2) * second_us;
	const std::string feed = row.truth(3) ? winfo_key(resource.feed) : std::string(resource.feed);
	if(put_sub(resource.dialog, feed, row.text(1), expires, ref) == Admission::full)
		no_room("a subscription to", resource.feed);
	watcher_restored(ref);
}

// Collectors and feeds are known by now.
Result<bool> take_up_storms(Pg & /*pg*/)
{
	restore_storms();
	return true;
}

Result<bool> load_subscriptions(Pg &pg)
{
	auto there = pg.run("SELECT to_regclass('active_watchers') IS NOT NULL");
	if(!there)
		return there.error();
	if(PQgetvalue(there->get(), 0, 0)[0] != 't')
		return true;
	return stream_rows(pg, subscriptions_query(), [](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			take_subscription(row);
	});
}

// What the operator has to know of sizes.
void report_load(TimeUs begun)
{
	const Store &s = *store();
	char text[256];
	std::snprintf(text, sizeof text,
			"%u devices and %u patients loaded in %.1f s; %zu bytes of shared memory, %zu for each "
			"of %zu devices",
			s.devices.used, s.patients.used, static_cast<double>(mono_now() - begun) / second_us,
			s.bytes, s.bytes / s.limits.devices, s.limits.devices);
	bmd_host_log(BMD_LOG_NOTICE, text);
}

} // namespace

Result<bool> bump_subscriptions(Pg &pg)
{
	const std::string step = std::to_string(counters_step);
	// The lock waits for what a server before this one may still commit.  Near the end of INTEGER a
	// row stays as it is: better one terminal that refreshes than no start.
	auto done = pg.run((
			"DO $$ BEGIN IF to_regclass('active_watchers') IS NOT NULL THEN "
			"LOCK TABLE active_watchers IN SHARE ROW EXCLUSIVE MODE; "
			"DELETE FROM active_watchers WHERE event IN ('bmd-alert', 'bmd-alert.winfo') "
			"AND expires < extract(epoch FROM now()); "
			"UPDATE active_watchers SET local_cseq = local_cseq + "
			+ step + ", version = version + " + step
			+ " WHERE event IN ('bmd-alert', 'bmd-alert.winfo') AND local_cseq < 2147483647 - "
			+ step + " AND version < 2147483647 - " + step + "; END IF; END $$")
							   .c_str());
	if(!done)
		return done.error();
	return true;
}

Result<bool> load_all(Pg &pg)
{
	const TimeUs begun = mono_now();
	for(const auto step : {check_schema, reload, load_closed, load_alerts, load_escalations,
				load_reached, load_waiting, load_collectors, take_up_storms, load_subscriptions,
				load_filters, bump_subscriptions})
		if(auto done = step(pg); !done)
			return done;
	store()->loaded = true;
	report_load(begun);
	// Whatever was not told before the stop is told now.
	queue_refresh_all();
	return true;
}

} // namespace bmd
