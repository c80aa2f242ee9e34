/// @file spool.cpp  Batches on disk until the server has them durably.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "spool.hpp"

#include <algorithm>
#include <memory>
#include <sqlite3.h>
#include <utility>

namespace bmd {

namespace {

constexpr int busy_timeout_ms = 2000;
// Giving up goes on to this part of the limit, so that it is not done for every batch.
constexpr std::uint64_t room_numerator = 9;
constexpr std::uint64_t room_denominator = 10;

// synchronous=FULL: a commit has reached the disk when it returns, also in WAL mode.
constexpr const char *schema = R"(
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS spool (epoch INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batch (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    has_alarm INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    text      TEXT    NOT NULL
);
CREATE INDEX IF NOT EXISTS batch_kind_idx ON batch (has_alarm, seq);
)";

struct Finalize
{
	void operator()(sqlite3_stmt *statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Statement prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = nullptr;
	if(sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK)
		return nullptr;
	return Statement(statement);
}

sqlite3_int64 signed64(std::uint64_t value)
{
	return static_cast<sqlite3_int64>(value);
}

} // namespace

Result<Spool> Spool::open(const std::string &path, std::uint64_t limit_bytes, TimeUs now)
{
	sqlite3 *db = nullptr;
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	const int status = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
	Spool spool(db, limit_bytes);
	if(status != SQLITE_OK || sqlite3_busy_timeout(db, busy_timeout_ms) != SQLITE_OK
			|| !spool.load(now))
		return Error{Errc::fatal, "spool " + path + ": " + spool.error().reason};
	return spool;
}

Spool::Spool(Spool &&other) noexcept
	: db_(std::exchange(other.db_, nullptr)), limit_(other.limit_), epoch_(other.epoch_),
	  last_(other.last_), found_(other.found_), forgotten_(other.forgotten_),
	  deleted_(other.deleted_), bytes_(other.bytes_), dropped_(other.dropped_),
	  held_(std::move(other.held_)), held_bytes_(other.held_bytes_),
	  reason_(std::move(other.reason_))
{
}

Spool::~Spool()
{
	sqlite3_close(db_);
}

bool Spool::load(TimeUs now)
{
	// Two collectors on one spool would number their batches alike.
	if(!run("PRAGMA locking_mode = EXCLUSIVE") || !run(schema) || !run("BEGIN IMMEDIATE"))
		return false;
	auto epoch = number("SELECT epoch FROM spool");
	if(!epoch) {
		const auto insert = prepare(db_, "INSERT INTO spool (epoch) VALUES (?1)");
		if(!insert || sqlite3_bind_int64(insert.get(), 1, now) != SQLITE_OK
				|| sqlite3_step(insert.get()) != SQLITE_DONE)
			return false;
		epoch = static_cast<std::uint64_t>(now);
	}
	if(!run("COMMIT"))
		return false;
	epoch_ = *epoch;
	last_ = number("SELECT seq FROM sqlite_sequence WHERE name = 'batch'").value_or(0);
	found_ = last_;
	forgotten_ = number("SELECT min(seq) - 1 FROM batch HAVING count(*) > 0").value_or(last_);
	deleted_ = forgotten_;
	bytes_ = number("SELECT coalesce(sum(size), 0) FROM batch").value_or(0);
	return true;
}

std::uint64_t Spool::add(const std::string &text, bool has_alarm)
{
	Held batch{text, has_alarm};
	const std::uint64_t seq = last_ + 1;
	if(!settle() || !write(batch, seq))
		hold(std::move(batch), seq);
	last_ = seq;
	return seq;
}

bool Spool::settle()
{
	while(!held_.empty()) {
		const auto first = held_.begin();
		if(!write(first->second, first->first))
			return false;
		held_bytes_ -= first->second.text.size();
		held_.erase(first);
	}
	return true;
}

// Brings one batch to the disk, with what else is to be done there.
bool Spool::write(const Held &batch, std::uint64_t seq)
{
	const Dropped before = dropped_;
	const auto bytes_before = bytes_;
	if(run("BEGIN") && delete_forgotten() && make_room(batch.text.size()) && insert(batch, seq)
			&& run("COMMIT")) {
		deleted_ = forgotten_;
		bytes_ += batch.text.size();
		return true;
	}
	reason_ = error().reason;
	run("ROLLBACK");
	dropped_ = before;
	bytes_ = bytes_before;
	return false;
}

bool Spool::insert(const Held &batch, std::uint64_t seq)
{
	const auto s =
			prepare(db_, "INSERT INTO batch (seq, has_alarm, size, text) VALUES (?1, ?2, ?3, ?4)");
	return s && sqlite3_bind_int64(s.get(), 1, signed64(seq)) == SQLITE_OK
		   && sqlite3_bind_int(s.get(), 2, batch.has_alarm ? 1 : 0) == SQLITE_OK
		   && sqlite3_bind_int64(s.get(), 3, signed64(batch.text.size())) == SQLITE_OK
		   && sqlite3_bind_text(s.get(), 4, batch.text.data(), static_cast<int>(batch.text.size()),
					  SQLITE_STATIC)
					  == SQLITE_OK
		   && sqlite3_step(s.get()) == SQLITE_DONE;
}

void Spool::hold(Held batch, std::uint64_t seq)
{
	const std::uint64_t need = batch.text.size();
	if(held_bytes_ + need > limit_)
		dropped_.plain += give_up_held(false, need);
	if(held_bytes_ + need > limit_)
		dropped_.alarms += give_up_held(true, need);
	held_bytes_ += need;
	held_.emplace(seq, std::move(batch));
}

// Of one kind, the oldest first, until there is room for `need` bytes.  Returns how many.
std::uint64_t Spool::give_up_held(bool alarms, std::uint64_t need)
{
	std::uint64_t count = 0;
	for(auto at = held_.begin(); at != held_.end() && held_bytes_ + need > limit_;) {
		if(at->second.has_alarm != alarms) {
			++at;
			continue;
		}
		held_bytes_ -= at->second.text.size();
		at = held_.erase(at);
		count++;
	}
	return count;
}

bool Spool::make_room(std::uint64_t need)
{
	if(bytes_ + need <= limit_)
		return true;
	const std::uint64_t target = limit_ / room_denominator * room_numerator;
	const std::uint64_t excess = bytes_ + need - std::min(target, bytes_ + need);
	const std::uint64_t before = bytes_;
	if(!drop_oldest(excess, 0, dropped_.plain))
		return false;
	const std::uint64_t freed = before - bytes_;
	return freed >= excess || bytes_ + need <= limit_
		   || drop_oldest(excess - freed, 1, dropped_.alarms);
}

// Gives up the oldest batches of one kind until `need` bytes are free or none is left.
bool Spool::drop_oldest(std::uint64_t need, int has_alarm, std::uint64_t &count)
{
	const auto find = prepare(
			db_, "SELECT seq, size FROM batch WHERE has_alarm = ?1 AND seq > ?2 ORDER BY seq");
	const auto drop = prepare(db_, "DELETE FROM batch WHERE has_alarm = ?1 AND seq <= ?2");
	if(!find || !drop || sqlite3_bind_int(find.get(), 1, has_alarm) != SQLITE_OK
			|| sqlite3_bind_int64(find.get(), 2, signed64(forgotten_)) != SQLITE_OK)
		return false;
	std::uint64_t freed = 0;
	std::uint64_t found = 0;
	sqlite3_int64 last = 0;
	int status = SQLITE_DONE;
	while(freed < need && (status = sqlite3_step(find.get())) == SQLITE_ROW) {
		last = sqlite3_column_int64(find.get(), 0);
		freed += static_cast<std::uint64_t>(sqlite3_column_int64(find.get(), 1));
		found++;
	}
	if(status != SQLITE_ROW && status != SQLITE_DONE)
		return false;
	sqlite3_reset(find.get());
	if(found == 0)
		return true;
	if(sqlite3_bind_int(drop.get(), 1, has_alarm) != SQLITE_OK
			|| sqlite3_bind_int64(drop.get(), 2, last) != SQLITE_OK
			|| sqlite3_step(drop.get()) != SQLITE_DONE)
		return false;
	bytes_ -= std::min(freed, bytes_);
	count += found;
	return true;
}

Result<std::optional<Spool::Batch>> Spool::next(std::uint64_t seq)
{
	auto on_disk = next_on_disk(seq);
	const auto held = held_.lower_bound(std::max(seq, forgotten_ + 1));
	if((on_disk && *on_disk) || held == held_.end())
		return on_disk;
	return std::optional<Batch>(Batch{held->first, held->second.text});
}

Result<std::optional<Spool::Batch>> Spool::next_on_disk(std::uint64_t seq)
{
	const auto s = prepare(db_, "SELECT seq, text FROM batch WHERE seq >= ?1 ORDER BY seq LIMIT 1");
	if(!s || sqlite3_bind_int64(s.get(), 1, signed64(std::max(seq, forgotten_ + 1))) != SQLITE_OK)
		return error();
	const int status = sqlite3_step(s.get());
	if(status == SQLITE_DONE)
		return std::optional<Batch>();
	if(status != SQLITE_ROW)
		return error();
	Batch batch;
	batch.seq = static_cast<std::uint64_t>(sqlite3_column_int64(s.get(), 0));
	const auto *text = reinterpret_cast<const char *>(sqlite3_column_text(s.get(), 1));
	batch.text.assign(text, static_cast<std::size_t>(sqlite3_column_bytes(s.get(), 1)));
	return std::optional<Batch>(std::move(batch));
}

void Spool::forget(std::uint64_t seq) noexcept
{
	forgotten_ = std::max(forgotten_, std::min(seq, last_));
	while(!held_.empty() && held_.begin()->first <= forgotten_) {
		held_bytes_ -= held_.begin()->second.text.size();
		held_.erase(held_.begin());
	}
}

Result<bool> Spool::give_up(std::uint64_t seq)
{
	if(const auto held = held_.find(seq); held != held_.end()) {
		(held->second.has_alarm ? dropped_.alarms : dropped_.plain)++;
		held_bytes_ -= held->second.text.size();
		held_.erase(held);
		return true;
	}
	const auto s = prepare(db_, "DELETE FROM batch WHERE seq = ?1 RETURNING has_alarm, size");
	if(!s || sqlite3_bind_int64(s.get(), 1, signed64(seq)) != SQLITE_OK)
		return error();
	const int status = sqlite3_step(s.get());
	if(status == SQLITE_DONE)
		return false;
	if(status != SQLITE_ROW)
		return error();
	const bool has_alarm = sqlite3_column_int(s.get(), 0) != 0;
	const auto size = static_cast<std::uint64_t>(sqlite3_column_int64(s.get(), 1));
	if(sqlite3_step(s.get()) != SQLITE_DONE)
		return error();
	(has_alarm ? dropped_.alarms : dropped_.plain)++;
	bytes_ -= std::min(size, bytes_);
	return true;
}

Result<bool> Spool::renew(TimeUs now)
{
	const auto s = prepare(db_, "UPDATE spool SET epoch = ?1");
	if(!s || sqlite3_bind_int64(s.get(), 1, now) != SQLITE_OK
			|| sqlite3_step(s.get()) != SQLITE_DONE)
		return error();
	epoch_ = static_cast<std::uint64_t>(now);
	return true;
}

Result<bool> Spool::tidy()
{
	if(deleted_ == forgotten_)
		return false;
	const auto bytes_before = bytes_;
	if(run("BEGIN") && delete_forgotten() && run("COMMIT")) {
		deleted_ = forgotten_;
		run("PRAGMA incremental_vacuum(100)"); // gives pages back; failing costs only space
		return true;
	}
	const Error why = error();
	run("ROLLBACK");
	bytes_ = bytes_before;
	return why;
}

bool Spool::delete_forgotten()
{
	if(deleted_ == forgotten_)
		return true;
	const auto sum = prepare(db_, "SELECT coalesce(sum(size), 0) FROM batch WHERE seq <= ?1");
	const auto drop = prepare(db_, "DELETE FROM batch WHERE seq <= ?1");
	if(!sum || !drop || sqlite3_bind_int64(sum.get(), 1, signed64(forgotten_)) != SQLITE_OK
			|| sqlite3_bind_int64(drop.get(), 1, signed64(forgotten_)) != SQLITE_OK
			|| sqlite3_step(sum.get()) != SQLITE_ROW)
		return false;
	const auto freed = static_cast<std::uint64_t>(sqlite3_column_int64(sum.get(), 0));
	sqlite3_reset(sum.get());
	if(sqlite3_step(drop.get()) != SQLITE_DONE)
		return false;
	bytes_ -= std::min(freed, bytes_);
	return true;
}

bool Spool::run(const char *sql)
{
	return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::optional<std::uint64_t> Spool::number(const char *sql)
{
	const auto s = prepare(db_, sql);
	if(!s || sqlite3_step(s.get()) != SQLITE_ROW || sqlite3_column_type(s.get(), 0) == SQLITE_NULL)
		return std::nullopt;
	return static_cast<std::uint64_t>(sqlite3_column_int64(s.get(), 0));
}

Error Spool::error() const
{
	return Error{Errc::retry, db_ != nullptr ? sqlite3_errmsg(db_) : "out of memory"};
}

} // namespace bmd
