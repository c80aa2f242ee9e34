/// @file writer_rows.cpp  The statements of one transaction of the writer.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <cstdlib>

#include "bmd/code.hpp"
#include "bmd/escalation.hpp"
#include "writer_load.hpp"

namespace bmd {

namespace {

#define ALERT_COLUMNS                                                                              \
	"alert_id, device_id, serial, type_name, metric_id, condition, kind, priority, state, value, " \
	"limit_value, location, patient_name, patient_address, patient_id, measured_at, arrived_at, "  \
	"onset_at, raised_at, changed_at, cleared_at, revision, code, response, answered_by, "         \
	"answered_at, taken_at, step, silenced_until, suppressed, mutes, outcome, priority_before, "   \
	"risen, rises_at, closed_at, part_of"

constexpr const char *insert_events =
		"INSERT INTO bmd_alert_event (alert_id, revision, at, event, state, priority, value, who, "
		"through, why, response, silenced_until) SELECT alert_id, revision, changed_at, event, "
		"state, priority, value, who, through, why, response, silenced_until FROM bmd_alert_in "
		"ON CONFLICT DO NOTHING";
constexpr const char *upsert_alerts =
		"INSERT INTO bmd_alert AS a (" ALERT_COLUMNS
		") SELECT DISTINCT ON (alert_id) " ALERT_COLUMNS
		" FROM bmd_alert_in ORDER BY alert_id, revision DESC ON CONFLICT (alert_id) DO UPDATE SET "
		"priority = EXCLUDED.priority, state = EXCLUDED.state, value = EXCLUDED.value, "
		"limit_value = EXCLUDED.limit_value, measured_at = EXCLUDED.measured_at, "
		"arrived_at = EXCLUDED.arrived_at, changed_at = EXCLUDED.changed_at, "
		"cleared_at = EXCLUDED.cleared_at, revision = EXCLUDED.revision, code = EXCLUDED.code, "
		"response = EXCLUDED.response, answered_by = EXCLUDED.answered_by, "
		"answered_at = EXCLUDED.answered_at, taken_at = EXCLUDED.taken_at, step = EXCLUDED.step, "
		"silenced_until = EXCLUDED.silenced_until, suppressed = EXCLUDED.suppressed, "
		"mutes = EXCLUDED.mutes, outcome = EXCLUDED.outcome, "
		"priority_before = EXCLUDED.priority_before, risen = EXCLUDED.risen, "
		"rises_at = EXCLUDED.rises_at, closed_at = EXCLUDED.closed_at, "
		"part_of = COALESCE(EXCLUDED.part_of, a.part_of) "
		"WHERE a.revision < EXCLUDED.revision";
constexpr const char *copy_alerts = "COPY bmd_alert_in (" ALERT_COLUMNS
									", event, who, through, why) FROM STDIN (FORMAT binary)";
#undef ALERT_COLUMNS
constexpr const char *copy_deliveries_sql = "COPY bmd_delivery (alert_id, revision, username, way, "
											"terminal, sent_at, answered_at, code) "
											"FROM STDIN (FORMAT binary)";
constexpr const char *upsert_window =
		"INSERT INTO bmd_maintenance (maintenance_id, serial, starts_at, ends_at, who, why) "
		"VALUES ($1, $2, timestamptz 'epoch' + $3::bigint * interval '1 microsecond', "
		"timestamptz 'epoch' + $4::bigint * interval '1 microsecond', $5, $6) "
		"ON CONFLICT (maintenance_id) DO UPDATE SET ends_at = EXCLUDED.ends_at";
constexpr const char *refused_sql =
		"COPY bmd_set_aside (node, what, device_id, alert_id, reason, content) "
		"FROM STDIN (FORMAT binary)";
constexpr const char *copy_readings =
		"COPY bmd_reading (received_at, measured_at, device_id, metric_id, kind, value, priority, "
		"collector_id, epoch, seq) FROM STDIN (FORMAT binary)";

} // namespace

// Outside of the transaction: a number known here must be in the database whatever becomes of that.
Result<bool> Writer::know_collectors(const Load &load)
{
	Store &s = *store();
	for(const Watermark &mark : load.watermarks) {
		CollectorRec &collector = s.collectors[mark.collector];
		if(collector.database_id.load() != 0)
			continue;
		auto row = pg_.run("INSERT INTO bmd_collector_state (collector) VALUES ($1) "
						   "ON CONFLICT (collector) DO UPDATE SET collector = EXCLUDED.collector "
						   "RETURNING collector_id",
				{std::string(collector.name)});
		if(!row)
			return row.error();
		collector.database_id.store(std::stoi(PQgetvalue(row->get(), 0, 0)));
	}
	return true;
}

void Writer::put_reading(const ReadingRef &ref)
{
	const ReadingRec &rec = reinterpret_cast<const ReadingRec *>(ref.batch + 1)[ref.number];
	const Index collector = ref.batch->collector;
	copy_.row(10);
	copy_.timestamp(ref.batch->arrived_at);
	copy_.timestamp(rec.measured_at);
	copy_.int32(rec.device);
	copy_.int16(static_cast<std::int16_t>(rec.metric));
	copy_.int16(rec.kind);
	if(rec.kind == static_cast<std::uint8_t>(ReadingKind::value))
		copy_.float8(rec.value);
	else
		copy_.null();
	if(rec.priority != 0)
		copy_.int16(rec.priority);
	else
		copy_.null();
	copy_.int32(collector == 0 ? 0 : store()->collectors[collector].database_id.load());
	copy_.int64(ref.batch->epoch);
	copy_.int64(ref.batch->seq);
}

void Writer::put_response(const AlertRec &alert)
{
	const ResponseState &state = alert.response;
	copy_.text_or_null(code_text(alert.code));
	copy_.text(to_string(state.response));
	copy_.text_or_null(state.by);
	copy_.timestamp(state.at);
	copy_.timestamp(state.taken_at);
	copy_.int16(state.step);
	copy_.timestamp(state.silenced_until);
	copy_.text(to_string(state.suppressed));
	copy_.int32(static_cast<std::int32_t>(mutes_of(alert)));
	copy_.text(to_string(state.outcome));
	const bool changed = alert.priority_before != Priority{};
	copy_.text_or_null(changed ? to_string(alert.priority_before) : std::string_view());
	copy_.int16(alert.risen);
	copy_.timestamp(alert.rises_at);
	copy_.timestamp(alert.closed_at);
}

void Writer::put_event(const AlertEvent &event)
{
	const AlertRec &alert = event.alert;
	copy_.row(41);
	copy_.bytes(alert.id.data(), alert.id.size());
	copy_.int32(event.device);
	copy_.text(alert.serial);
	copy_.text(event.type);
	copy_.int16(static_cast<std::int16_t>(alert.metric));
	copy_.text(to_string(alert.condition));
	copy_.text(to_string(alert.kind));
	copy_.text(to_string(alert.priority));
	copy_.text(to_string(alert.state));
	copy_.float8_or_null(alert.value);
	copy_.float8_or_null(alert.limit);
	copy_.text(event.location);
	copy_.text(event.patient_name);
	copy_.text(event.patient_address);
	if(alert.patient != 0)
		copy_.int64(alert.patient);
	else
		copy_.null();
	copy_.timestamp(alert.measured_at);
	copy_.timestamp(alert.arrived_at);
	copy_.timestamp(alert.onset_at);
	copy_.timestamp(alert.raised_at);
	copy_.timestamp(alert.changed_at);
	copy_.timestamp(alert.cleared_at);
	copy_.int32(static_cast<std::int32_t>(alert.revision));
	put_response(alert);
	if(event.part_of != Uuid{})
		copy_.bytes(event.part_of.data(), event.part_of.size());
	else
		copy_.null();
	copy_.text(event.event);
	copy_.text_or_null(event.who);
	copy_.text_or_null(event.through);
	copy_.text_or_null(event.why);
}

Result<bool> Writer::write_readings(Load &load)
{
	copy_.clear();
	waiting_.clear();
	for(const BatchRec *batch : load.batches) {
		const auto *readings = reinterpret_cast<const ReadingRec *>(batch + 1);
		for(std::uint32_t i = 0; i < batch->count; ++i) {
			waiting_.add(*batch, readings[i]);
			if(readings[i].kind == 0)
				continue;
			put_reading({batch, i});
			if(seen_.insert(readings[i].device).second)
				load.first_seen.push_back(readings[i].device);
		}
	}
	if(load.readings == 0)
		return true;
	return pg_.copy_in(copy_readings, copy_.finish());
}

Result<bool> Writer::copy_readings_of(
		const std::vector<ReadingRef> &readings, std::size_t first, std::size_t last)
{
	copy_.clear();
	for(std::size_t i = first; i < last; ++i)
		put_reading(readings[i]);
	return pg_.copy_in(copy_readings, copy_.finish());
}

// The rows stand in copy_.
Result<bool> Writer::copy_refused()
{
	return pg_.copy_in(refused_sql, copy_.finish());
}

Result<bool> Writer::copy_events(
		const std::vector<const AlertEvent *> &events, std::size_t first, std::size_t last)
{
	if(first == last)
		return true;
	copy_.clear();
	for(std::size_t i = first; i < last; ++i)
		put_event(*events[i]);
	if(auto copied = pg_.copy_in(copy_alerts, copy_.finish()); !copied)
		return copied;
	auto events_done = pg_.run(insert_events);
	if(!events_done)
		return events_done.error();
	const std::size_t taken = std::strtoull(PQcmdTuples(events_done->get()), nullptr, 10);
	if(auto done = pg_.run(upsert_alerts); !done)
		return done.error();
	count(count_alert_events_twice, last - first - taken);
	return true;
}

Result<bool> Writer::write_watermarks(const Load &load)
{
	if(load.watermarks.empty())
		return true;
	const Store &s = *store();
	std::string ids = "{";
	std::string epochs = "{";
	std::string seqs = "{";
	for(const Watermark &mark : load.watermarks) {
		const char *comma = ids.size() > 1 ? "," : "";
		ids += comma + std::to_string(s.collectors[mark.collector].database_id.load());
		epochs += comma + std::to_string(mark.epoch);
		seqs += comma + std::to_string(mark.seq);
	}
	auto done = pg_.run("UPDATE bmd_collector_state c SET epoch = m.epoch, durable_seq = m.seq, "
						"updated_at = now() FROM unnest($1::int[], $2::bigint[], $3::bigint[]) "
						"AS m (id, epoch, seq) WHERE c.collector_id = m.id",
			{ids + "}", epochs + "}", seqs + "}"});
	if(!done)
		return done.error();
	return true;
}

Result<bool> Writer::write_seen(const Load &load)
{
	if(load.first_seen.empty())
		return true;
	std::string ids = "{";
	for(const std::int32_t id : load.first_seen)
		ids += (ids.size() > 1 ? "," : "") + std::to_string(id);
	auto done = pg_.run("INSERT INTO bmd_device_seen (device_id) SELECT unnest($1::int[]) "
						"ON CONFLICT DO NOTHING",
			{ids + "}"});
	if(!done)
		return done.error();
	return true;
}

Result<bool> Writer::copy_deliveries(const Load &load)
{
	if(load.deliveries.empty())
		return true;
	copy_.clear();
	for(const Delivery *delivery : load.deliveries) {
		copy_.row(8);
		copy_.bytes(delivery->alert.data(), delivery->alert.size());
		copy_.int32(static_cast<std::int32_t>(delivery->revision));
		copy_.text(delivery->user);
		copy_.text(delivery->way == 0 ? "subscription" : how_text(delivery->way));
		copy_.text(delivery->terminal);
		copy_.timestamp(delivery->sent_at);
		copy_.timestamp(delivery->answered_at);
		copy_.int16(static_cast<std::int16_t>(delivery->code));
	}
	return pg_.copy_in(copy_deliveries_sql, copy_.finish());
}

Result<bool> Writer::write_window(const WindowRec &window)
{
	auto done =
			pg_.run(upsert_window, {to_string(window.id), window.name, std::to_string(window.from),
										   std::to_string(window.until), window.who, window.why});
	return done ? Result<bool>(true) : done.error();
}

// The last of a transaction, one by one: what an administrator holds locked, or has deleted, must
// hold up nobody's readings and no other window.
Result<bool> Writer::write_windows(Load &load)
{
	if(load.windows.empty())
		return true;
	if(auto set = pg_.run("SET LOCAL lock_timeout = 100"); !set)
		return set.error();
	for(std::size_t i = 0; i < load.windows.size(); ++i) {
		if(auto begun = pg_.run("SAVEPOINT one"); !begun)
			return begun.error();
		auto written = write_window(*load.windows[i]);
		if(!written && !pg_.connected())
			return written;
		auto after = pg_.run(written ? "RELEASE SAVEPOINT one" : "ROLLBACK TO SAVEPOINT one");
		if(!after)
			return after.error();
		if(written)
			continue;
		if(written.error().code == Errc::malformed) {
			count(count_windows_refused); // of a device that has gone meanwhile
			continue;
		}
		complain(count_windows_waiting,
				"writer: a maintenance window waits, the database does not take it: "
						+ written.error().reason);
		leave_windows(load, i);
		next_windows_ = mono_now() + second_us;
	}
	return true;
}

// Those from number `first` on stay in their ring.
void Writer::leave_windows(Load &load, std::size_t first)
{
	load.windows_end -= load.windows.size() - first;
	load.windows.resize(first);
}

Result<bool> Writer::write(Load &load)
{
	if(auto step = write_readings(load); !step)
		return step;
	if(auto step = waiting_.write(pg_); !step)
		return step;
	if(auto step = copy_events(load.events, 0, load.events.size()); !step)
		return step;
	if(auto step = copy_deliveries(load); !step)
		return step;
	if(auto step = copy_escalations(load); !step)
		return step;
	if(auto step = write_watermarks(load); !step)
		return step;
	if(auto step = write_seen(load); !step)
		return step;
	return write_windows(load);
}

} // namespace bmd
