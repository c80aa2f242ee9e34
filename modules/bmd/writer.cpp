/// @file writer.cpp  Writes the journal into the database.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "writer.hpp"

#include <algorithm>

#include "bmd_host.h"

namespace bmd {

namespace {

constexpr std::size_t most_bytes = 16U << 20; // of readings in one transaction
constexpr TimeUs partition_interval = 3600 * second_us;

constexpr const char *temp_table = "CREATE TEMP TABLE bmd_alert_in (LIKE bmd_alert, event text, "
								   "who text, through text, why text) "
								   "ON COMMIT DELETE ROWS";
constexpr const char *insert_events =
		"INSERT INTO bmd_alert_event (alert_id, revision, at, event, state, priority, value, who, "
		"through, why) SELECT alert_id, revision, changed_at, event, state, priority, value, who, "
		"through, why FROM bmd_alert_in ON CONFLICT DO NOTHING";
constexpr const char *upsert_alerts =
		"INSERT INTO bmd_alert AS a (alert_id, device_id, serial, type_name, metric_id, condition, "
		"kind, priority, state, value, limit_value, location, patient_name, patient_address, "
		"measured_at, arrived_at, onset_at, raised_at, changed_at, cleared_at, revision) "
		"SELECT DISTINCT ON (alert_id) alert_id, device_id, serial, type_name, metric_id, "
		"condition, "
		"kind, priority, state, value, limit_value, location, patient_name, patient_address, "
		"measured_at, arrived_at, onset_at, raised_at, changed_at, cleared_at, revision "
		"FROM bmd_alert_in ORDER BY alert_id, revision DESC "
		"ON CONFLICT (alert_id) DO UPDATE SET priority = EXCLUDED.priority, state = "
		"EXCLUDED.state, "
		"value = EXCLUDED.value, limit_value = EXCLUDED.limit_value, "
		"measured_at = EXCLUDED.measured_at, arrived_at = EXCLUDED.arrived_at, "
		"changed_at = EXCLUDED.changed_at, cleared_at = EXCLUDED.cleared_at, "
		"revision = EXCLUDED.revision WHERE a.revision < EXCLUDED.revision";
constexpr const char *copy_alerts =
		"COPY bmd_alert_in (alert_id, device_id, serial, type_name, metric_id, condition, kind, "
		"priority, state, value, limit_value, location, patient_name, patient_address, "
		"measured_at, "
		"arrived_at, onset_at, raised_at, changed_at, cleared_at, revision, event, who, through, "
		"why) "
		"FROM STDIN (FORMAT binary)";
constexpr const char *copy_readings =
		"COPY bmd_reading (received_at, measured_at, device_id, metric_id, kind, value, priority, "
		"collector_id, epoch, seq) FROM STDIN (FORMAT binary)";

} // namespace

struct Writer::Load
{
	std::vector<BatchRec *> batches;
	std::vector<const AlertEvent *> events;
	std::vector<Watermark> watermarks;
	std::vector<std::int32_t> first_seen;
	std::uint64_t journal_end = 0;
	std::uint64_t events_end = 0;
	std::uint64_t readings = 0;
	[[nodiscard]] bool empty() const { return batches.empty() && events.empty(); }
};

Writer::Writer(std::string conninfo, std::string node)
	: conninfo_(std::move(conninfo)), node_(std::move(node))
{
}

Result<bool> Writer::read_position(std::int64_t &position)
{
	auto insert =
			pg_.run("INSERT INTO bmd_writer (node) VALUES ($1) ON CONFLICT DO NOTHING", {node_});
	if(!insert)
		return insert.error();
	// waits for the end of a transaction whose connection broke within its COMMIT
	auto row = pg_.run("SELECT position FROM bmd_writer WHERE node = $1 FOR UPDATE", {node_});
	if(!row)
		return row.error();
	position = std::stoll(PQgetvalue(row->get(), 0, 0));
	return true;
}

// The answer to a COMMIT was lost with the connection: the position tells whether it was taken.
Result<bool> Writer::settle_doubt()
{
	WriterState &state = store()->writer;
	std::int64_t position = 0;
	if(auto read = read_position(position); !read)
		return read;
	if(!state.position_known)
		state.position = position;
	state.position_known = true;
	if(state.in_doubt && position == state.position + 1) {
		Load load;
		gather(load, state.journal_end, state.events_end);
		done(load);
	}
	state.in_doubt = false;
	return true;
}

Result<bool> Writer::prepare()
{
	if(auto connected = pg_.connect(conninfo_, "bmd writer"); !connected)
		return connected;
	if(auto temp = pg_.run(temp_table); !temp)
		return temp.error();
	if(auto settled = settle_doubt(); !settled)
		return settled;
	auto seen = pg_.copy_out("SELECT device_id FROM bmd_device_seen", [this](const PgRow &row) {
		seen_.insert(static_cast<std::int32_t>(std::stol(row.at(0).value_or("0"))));
	});
	if(!seen)
		return seen;
	next_partitions_ = 0;
	failures_ = 0;
	store()->database_up.store(1);
	bmd_host_log(BMD_LOG_NOTICE, "writer: connected to the database");
	return true;
}

void Writer::gather(Load &load, std::uint64_t journal_end, std::uint64_t events_end)
{
	Store &s = *store();
	std::uint64_t at = s.journal.tail();
	std::size_t bytes = 0;
	while(bytes < most_bytes && at < journal_end) {
		ByteRing::Block *block = s.journal.next(at);
		if(block == nullptr)
			break;
		auto *batch = static_cast<BatchRec *>(block->data());
		load.batches.push_back(batch);
		load.readings += batch->epoch == no_readings ? 0 : batch->count;
		bytes += block->size;
		if(batch->collector == 0)
			continue;
		auto known = std::find_if(load.watermarks.rbegin(), load.watermarks.rend(),
				[batch](const Watermark &w) { return w.collector == batch->collector; });
		if(known != load.watermarks.rend())
			*known = Watermark{batch->collector, batch->epoch, batch->seq};
		else
			load.watermarks.push_back(Watermark{batch->collector, batch->epoch, batch->seq});
	}
	load.journal_end = at;
	// After the batches: every change they caused was queued before they were published.
	at = s.alert_events.tail();
	while(at < events_end) {
		const void *event = s.alert_events.next(at);
		if(event == nullptr)
			break;
		load.events.push_back(static_cast<const AlertEvent *>(event));
	}
	load.events_end = at;
}

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

Result<bool> Writer::write_readings(Load &load)
{
	const Store &s = *store();
	copy_.clear();
	waiting_.clear();
	for(BatchRec *batch : load.batches) {
		const std::int32_t collector =
				batch->collector == 0 ? 0 : s.collectors[batch->collector].database_id.load();
		const auto *readings = reinterpret_cast<const ReadingRec *>(batch + 1);
		for(std::uint32_t i = 0; i < batch->count; ++i) {
			const ReadingRec &reading = readings[i];
			waiting_.add(*batch, reading);
			if(reading.kind == 0)
				continue;
			copy_.row(10);
			copy_.timestamp(batch->arrived_at);
			copy_.timestamp(reading.measured_at);
			copy_.int32(reading.device);
			copy_.int16(static_cast<std::int16_t>(reading.metric));
			copy_.int16(reading.kind);
			if(reading.kind == static_cast<std::uint8_t>(ReadingKind::value))
				copy_.float8(reading.value);
			else
				copy_.null();
			if(reading.priority != 0)
				copy_.int16(reading.priority);
			else
				copy_.null();
			copy_.int32(collector);
			copy_.int64(batch->epoch);
			copy_.int64(batch->seq);
			if(seen_.insert(reading.device).second)
				load.first_seen.push_back(reading.device);
		}
	}
	if(load.readings == 0)
		return true;
	return pg_.copy_in(copy_readings, copy_.finish());
}

Result<bool> Writer::write_alerts(Load &load)
{
	if(load.events.empty())
		return true;
	copy_.clear();
	for(const AlertEvent *event : load.events) {
		const AlertRec &alert = event->alert;
		copy_.row(25);
		copy_.bytes(alert.id.data(), alert.id.size());
		copy_.int32(event->device);
		copy_.text(alert.serial);
		copy_.text(event->type);
		copy_.int16(static_cast<std::int16_t>(alert.metric));
		copy_.text(to_string(alert.condition));
		copy_.text(to_string(alert.kind));
		copy_.text(to_string(alert.priority));
		copy_.text(to_string(alert.state));
		copy_.float8_or_null(alert.value);
		copy_.float8_or_null(alert.limit);
		copy_.text(event->location);
		copy_.text(event->patient_name);
		copy_.text(event->patient_address);
		copy_.timestamp(alert.measured_at);
		copy_.timestamp(alert.arrived_at);
		copy_.timestamp(alert.onset_at);
		copy_.timestamp(alert.raised_at);
		copy_.timestamp(alert.changed_at);
		copy_.timestamp(alert.cleared_at);
		copy_.int32(static_cast<std::int32_t>(alert.revision));
		copy_.text(event->event);
		copy_.text_or_null(event->who);
		copy_.text_or_null(event->through);
		copy_.text_or_null(event->why);
	}
	if(auto copied = pg_.copy_in(copy_alerts, copy_.finish()); !copied)
		return copied;
	for(const char *sql : {insert_events, upsert_alerts})
		if(auto done = pg_.run(sql); !done)
			return done.error();
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

Result<bool> Writer::write(Load &load)
{
	if(auto begun = pg_.run("BEGIN"); !begun)
		return begun.error();
	if(auto step = know_collectors(load); !step)
		return step;
	if(auto step = write_readings(load); !step)
		return step;
	if(auto step = waiting_.write(pg_); !step)
		return step;
	if(auto step = write_alerts(load); !step)
		return step;
	if(auto step = write_watermarks(load); !step)
		return step;
	if(auto step = write_seen(load); !step)
		return step;
	auto mine = pg_.run("UPDATE bmd_writer SET position = $2, updated_at = now() WHERE node = $1",
			{node_, std::to_string(store()->writer.position + 1)});
	if(!mine)
		return mine.error();
	return true;
}

// The load is in the database: tell collectors, free the rings.
void Writer::done(const Load &load)
{
	Store &s = *store();
	++s.writer.position;
	s.writer.in_doubt = false;
	for(const Watermark &mark : load.watermarks) {
		CollectorRec &collector = s.collectors[mark.collector];
		if(collector.durable_epoch.load() != mark.epoch)
			collector.durable_seq.store(0);
		collector.durable_epoch.store(mark.epoch);
		collector.durable_seq.store(mark.seq);
	}
	s.journal.release(load.journal_end);
	s.alert_events.release(load.events_end);
	count(count_readings_stored, load.readings);
	count(count_alert_events_stored, load.events.size());
	count(count_writer_commits);
	failures_ = 0;
}

void Writer::failed(const Error &error)
{
	count(count_writer_failures);
	if(failures_ == 0 || failures_ % 60 == 0)
		bmd_host_log(error.code == Errc::retry ? BMD_LOG_WARNING : BMD_LOG_ERROR,
				("writer: the journal waits, the database does not take it: " + error.reason)
						.c_str());
	++failures_;
	store()->database_up.store(0);
	seen_.clear();
	pg_.close();
	next_connect_ = mono_now() + std::min<TimeUs>(failures_ * 100'000, 2 * second_us);
}

void Writer::keep_partitions()
{
	if(mono_now() < next_partitions_)
		return;
	next_partitions_ = mono_now() + partition_interval;
	if(auto made = pg_.run("SELECT bmd_ensure_partitions(2)"); !made)
		bmd_host_log(BMD_LOG_WARNING,
				("writer: cannot create partitions ahead: " + made.error().reason).c_str());
}

void Writer::round(int milliseconds) noexcept
{
	try {
		Store &s = *store();
		if(!pg_.connected()) {
			if(mono_now() < next_connect_) {
				s.writer_waker.wait(50);
				return;
			}
			if(auto ready = prepare(); !ready)
				return failed(ready.error());
		}
		keep_partitions();
		Load load;
		gather(load, UINT64_MAX, UINT64_MAX);
		if(load.empty()) {
			s.writer_waker.wait(milliseconds);
			return;
		}
		if(auto written = write(load); !written)
			return failed(written.error());
		s.writer.journal_end = load.journal_end;
		s.writer.events_end = load.events_end;
		s.writer.in_doubt = true;
		if(auto committed = pg_.run("COMMIT"); !committed)
			return failed(committed.error());
		done(load);
	} catch(const std::exception &error) {
		failed(Error{Errc::fatal, error.what()});
	}
}

} // namespace bmd
