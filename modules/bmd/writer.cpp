/// @file writer.cpp  Writes the journal into the database: rounds, positions, failures.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "bmd_host.h"
#include "writer_load.hpp"

namespace bmd {

namespace {

constexpr std::size_t most_bytes = 16U << 20; // of readings in one transaction
constexpr std::size_t least_bytes = 64U << 10;
constexpr std::size_t much = 256U << 10;    // of readings: they gather no more
constexpr std::size_t most_rows = 1U << 16; // of events, or of deliveries, in one transaction
constexpr std::size_t least_rows = 256;
constexpr std::size_t rows_in_a_ms = 4; // that a database is trusted to take at first

constexpr TimeUs longest_search = 100'000; // for a moment at which nothing is being judged
constexpr std::chrono::microseconds between_looks{50};

constexpr const char *temp_table = "CREATE TEMP TABLE bmd_alert_in (LIKE bmd_alert, event text, "
								   "who text, through text, why text) "
								   "ON COMMIT DELETE ROWS";
constexpr const char *temp_escalation =
		"CREATE TEMP TABLE bmd_escalation_in (LIKE bmd_escalation, feed text) "
		"ON COMMIT DELETE ROWS";

bool much_waits() noexcept
{
	const Store &s = *store();
	return s.journal.used() > much || s.alert_events.used() > s.alert_events.capacity() / 4;
}

std::int64_t number(const PgResult &result, int column)
{
	return std::strtoll(PQgetvalue(result.get(), 0, column), nullptr, 10);
}

// Nothing of ours may wait for long, nor hold others up when this process or its host is gone.
std::string session(int patience)
{
	return "SET lock_timeout = '" + std::to_string(std::min(patience / 2, 2000)) + "';"
		   + "SET statement_timeout = '" + std::to_string(patience * 4 / 5) + "';"
		   + "SET idle_in_transaction_session_timeout = '30s';"
			 "SET client_connection_check_interval = '2s';"
			 "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2;"
			 "SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000";
}

// Another database may not know them, or give their numbers to others.
void forget_collectors() noexcept
{
	Store &s = *store();
	for(Index i = 1; i <= s.collectors.used; ++i)
		s.collectors[i].database_id.store(0);
}

} // namespace

Writer::Writer(std::string conninfo, std::string node, int patience, Gather gather)
	: conninfo_(std::move(conninfo)), node_(std::move(node)), patience_(patience), pg_(patience),
	  gather_(gather), most_bytes_(most_bytes),
	  most_rows_(static_cast<std::size_t>(patience) * rows_in_a_ms)
{
}

Result<bool> take_over_node(Pg &pg, const std::string &node)
{
	Store &s = *store();
	auto done = pg.run("SET lock_timeout = '25s'");
	if(done)
		done = pg.run("INSERT INTO bmd_writer (node, instance) VALUES ($1, $2) ON CONFLICT (node) "
					  "DO UPDATE SET instance = EXCLUDED.instance, updated_at = now() "
					  "RETURNING position",
				{node, std::to_string(s.writer.instance)});
	if(!done)
		return done.error();
	s.writer.position = number(*done, 0);
	auto rights = pg.run("SELECT has_table_privilege('bmd_set_aside', 'INSERT')");
	if(!rights)
		return rights.error();
	if(PQgetvalue(rights->get(), 0, 0)[0] != 't')
		return Error{Errc::denied, "bmd_grant_server() has not been called since bmd-migrate"};
	if(auto reset = pg.run("RESET lock_timeout"); !reset)
		return reset.error();
	s.database_up.store(1); // what begins before the writer has connected waits for it
	return true;
}

// What the server knows of its position.  The answer to a COMMIT may have been lost with the
// connection: FOR UPDATE waits until that transaction has ended, the position tells how.
Result<bool> Writer::settle_doubt()
{
	WriterState &state = store()->writer;
	auto row = pg_.run(
			"SELECT position, instance FROM bmd_writer WHERE node = $1 FOR UPDATE", {node_});
	if(!row)
		return row.error();
	if(PQntuples(row->get()) == 0) {
		forget_collectors();
		auto again =
				pg_.run("INSERT INTO bmd_writer (node, position, instance) VALUES ($1, $2, $3)",
						{node_, std::to_string(state.position), std::to_string(state.instance)});
		return again ? Result<bool>(true) : again.error();
	}
	if(number(*row, 1) != state.instance)
		return Error{Errc::fatal, "another server writes as node \"" + node_
										  + "\": each must have a "
											"name of its own"};
	const std::int64_t position = number(*row, 0);
	if(state.in_doubt && position == state.position + 1) {
		Load load;
		gather(load, {state.journal_end, state.events_end, state.deliveries_end, state.windows_end,
							 state.escalations_end});
		done(load);
	} else if(position != state.position) {
		bmd_host_log(BMD_LOG_ERROR,
				("writer: the database is at transaction " + std::to_string(position) + ", not "
						+ std::to_string(state.position) + ": it was restored or failed over")
						.c_str());
		state.position = position;
		forget_collectors();
	}
	state.in_doubt = false;
	return true;
}

Result<bool> Writer::prepare()
{
	if(auto connected = pg_.connect(conninfo_, "bmd writer"); !connected)
		return connected;
	if(auto set = pg_.run(session(patience_).c_str()); !set)
		return set.error();
	for(const char *table : {temp_table, temp_escalation})
		if(auto temp = pg_.run(table); !temp)
			return temp.error();
	if(auto settled = settle_doubt(); !settled)
		return settled;
	auto seen = pg_.copy_out("SELECT device_id FROM bmd_device_seen", [this](const PgRow &row) {
		seen_.insert(static_cast<std::int32_t>(std::stol(row.at(0).value_or("0"))));
	});
	if(!seen)
		return seen;
	failures_ = 0;
	store()->database_up.store(1);
	bmd_host_log(BMD_LOG_NOTICE, "writer: connected to the database");
	return true;
}

void Writer::gather_batches(Load &load, std::uint64_t journal_end)
{
	Store &s = *store();
	std::uint64_t at = s.journal.tail();
	std::size_t bytes = 0;
	// what is to be settled is exactly what was sent, whatever the piece is now
	while((bytes < most_bytes_ || journal_end != UINT64_MAX) && at < journal_end) {
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
}

// What waits in a ring up to `end`; returns where that is.
template <class T>
static std::uint64_t gather_ring(SlotRing &ring, std::uint64_t end, std::vector<const T *> &rows)
{
	std::uint64_t at = ring.tail();
	while(at < end) {
		const void *row = ring.next(at);
		if(row == nullptr)
			break;
		rows.push_back(static_cast<const T *>(row));
	}
	return at;
}

void Writer::gather(Load &load, const Ends &ends)
{
	Store &s = *store();
	gather_batches(load, ends.journal);
	// After the batches: every change they caused was queued before they were published.
	load.events_end = gather_ring(s.alert_events, ends.events, load.events);
	load.deliveries_end = gather_ring(s.deliveries, ends.deliveries, load.deliveries);
	load.windows_end = gather_ring(s.window_log, ends.windows, load.windows);
	// After the events: a step was handed in before the event that makes it known.
	load.escalations_end = gather_ring(s.escalations, ends.escalations, load.escalations);
}

// Nobody waits for deliveries.  Written as they come, a fan-out would share the processors with a
// transaction for each few of its answers.
bool Writer::deliveries_due()
{
	const Store &s = *store();
	const std::uint64_t used = s.deliveries.used();
	const TimeUs now = mono_now();
	if(used == 0)
		deliveries_since_ = 0;
	else if(deliveries_since_ == 0)
		deliveries_since_ = now;
	return used > s.deliveries.capacity() / 4 || now - deliveries_since_ >= gather_.deliveries;
}

// Of small transactions most is BEGIN, COMMIT and the planning of statements, on processors that
// alerts are told on.  The first after a pause begins at once.
void Writer::let_gather() const
{
	const DurationUs left = begun_ + gather_.all - mono_now();
	if(left > 0 && !much_waits())
		std::this_thread::sleep_for(std::chrono::microseconds(left));
}

// A change that is written without its batch would be made again, perhaps as another alert, when
// the server is killed and the batch comes again; a batch without its change would lose it.  So a
// moment is sought at which no batch is being judged.  False when there is none for a while: then a
// change may be written a transaction before its batch.
bool Writer::complete(Ends &ends)
{
	Store &s = *store();
	for(const TimeUs until = mono_now() + longest_search;;) {
		const std::uint64_t events = s.alert_events.head();
		const std::uint64_t journal = s.journal.head();
		// in this order: a batch queues its changes before it is published
		if(s.journal.published(journal) && s.alert_events.published(events)
				&& s.alert_events.head() == events) {
			ends.journal = journal;
			ends.events = events;
			return true;
		}
		if(mono_now() > until || much_waits())
			return false;
		std::this_thread::sleep_for(between_looks);
	}
}

// What waits; of many events, or deliveries, only the first, and nothing else but steps of
// escalations, which are waited for: a batch may go only with all changes it caused, which a slow
// database may not manage at once.
void Writer::gather_manageable(Load &load)
{
	const Store &s = *store();
	Ends ends;
	if(!deliveries_due())
		ends.deliveries = s.deliveries.tail();
	if(s.alert_events.used() > most_rows_)
		ends = {s.journal.tail(), s.alert_events.tail() + most_rows_, s.deliveries.tail(),
				s.window_log.tail(), UINT64_MAX};
	else if(s.deliveries.used() > most_rows_ && ends.deliveries == UINT64_MAX)
		ends = {s.journal.tail(), s.alert_events.tail(), s.deliveries.tail() + most_rows_,
				s.window_log.tail(), UINT64_MAX};
	else if(gather_.all > 0)
		(void)complete(ends);
	gather(load, ends);
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
	s.deliveries.release(load.deliveries_end);
	if(!load.deliveries.empty())
		deliveries_since_ = 0;
	s.window_log.release(load.windows_end);
	s.escalations.release(load.escalations_end);
	if(!load.escalations.empty())
		s.escalation_waker.wake();
	// of a load that was settled after a lost answer it is not known which rows were set aside
	count(count_readings_stored, load.readings);
	count(count_alert_events_stored, load.events.size());
	count(count_deliveries_stored, load.deliveries.size());
	count(count_rows_set_aside, load.refused);
	count(count_writer_commits);
	failures_ = 0;
	most_bytes_ = std::min(most_bytes_ * 2, most_bytes);
	most_rows_ = std::min(most_rows_ * 2, most_rows);
}

void Writer::failed(const Error &error)
{
	count(count_writer_failures);
	if(failures_ == 0 || failures_ % 60 == 0)
		bmd_host_log(error.code == Errc::retry ? BMD_LOG_WARNING : BMD_LOG_ERROR,
				("writer: the journal waits, the database does not take it: " + error.reason)
						.c_str());
	++failures_;
	// a database that is slow today may manage less at a time
	most_bytes_ = std::max(most_bytes_ / 2, least_bytes);
	most_rows_ = std::max(most_rows_ / 2, least_rows);
	store()->database_up.store(0);
	seen_.clear();
	pg_.close();
	next_connect_ = mono_now() + std::min(failures_, 20) * TimeUs{100'000};
}

// 0 rows: not our turn; the next connection settles it.
Result<bool> Writer::claim_position()
{
	const WriterState &state = store()->writer;
	auto mine = pg_.run("UPDATE bmd_writer SET position = $2::bigint, updated_at = now() "
						"WHERE node = $1 AND position = $2::bigint - 1 AND instance = $3::bigint",
			{node_, std::to_string(state.position + 1), std::to_string(state.instance)});
	if(!mine)
		return mine.error();
	if(std::string_view(PQcmdTuples(mine->get())) != "1")
		return Error{Errc::retry, "the position of this node is not where it was left"};
	return true;
}

Result<bool> Writer::store_load(Load &load, bool carefully)
{
	WriterState &state = store()->writer;
	if(auto begun = pg_.run("BEGIN"); !begun)
		return begun.error();
	if(auto claimed = claim_position(); !claimed)
		return claimed;
	if(auto written = carefully ? write_carefully(load) : write(load); !written)
		return written;
	state.journal_end = load.journal_end;
	state.events_end = load.events_end;
	state.deliveries_end = load.deliveries_end;
	state.windows_end = load.windows_end;
	state.escalations_end = load.escalations_end;
	state.in_doubt = true;
	auto committed = pg_.run("COMMIT");
	if(committed && std::string_view(PQcmdStatus(committed->get())) == "COMMIT")
		return true;
	if(committed)
		return Error{Errc::retry, "the transaction was rolled back"};
	// an answer: there is no doubt
	state.in_doubt = committed.error().code != Errc::malformed;
	return committed.error();
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
		let_gather();
		Load load;
		gather_manageable(load);
		if(mono_now() < next_windows_)
			leave_windows(load, 0);
		if(load.empty()) {
			s.writer_waker.wait(milliseconds);
			return;
		}
		begun_ = mono_now();
		if(auto known = know_collectors(load); !known)
			return failed(known.error());
		auto stored = store_load(load, false);
		if(!stored && stored.error().code == Errc::malformed && pg_.connected()) {
			if(auto back = pg_.run("ROLLBACK"); !back)
				return failed(back.error());
			stored = store_load(load, true);
		}
		if(!stored)
			return failed(stored.error());
		done(load);
	} catch(const std::exception &error) {
		failed(Error{Errc::fatal, error.what()});
	}
}

} // namespace bmd
