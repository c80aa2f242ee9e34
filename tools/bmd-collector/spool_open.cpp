/// @file spool_open.cpp  Opens the collector's spool.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <filesystem>

#include "spool.hpp"
#include "statement.hpp"

namespace bmd {

namespace {

constexpr int busy_timeout_ms = 2000;

// synchronous=FULL: a commit has reached the disk when it returns, also in WAL mode.
constexpr const char *schema = R"(
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

// Is it the disk, and not the file's name, its content or another collector?
bool disk_fails(const std::string &path, int code)
{
	std::error_code error;
	const bool there = std::filesystem::is_regular_file(path, error);
	return code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_READONLY
		   || (code == SQLITE_CANTOPEN && there);
}

} // namespace

void Spool::Close::operator()(sqlite3 *db) const noexcept
{
	sqlite3_close(db);
}

Result<Spool> Spool::open(const std::string &path, std::uint64_t limit_bytes, TimeUs now)
{
	int code = SQLITE_OK;
	auto spool = open_file(path, limit_bytes, now, code);
	if(spool || !disk_fails(path, code))
		return spool;
	auto memory = open_file(":memory:", std::min(limit_bytes, most_held), now, code);
	if(memory) {
		memory->in_file_ = false;
		memory->reason_ = spool.error().reason;
	}
	return memory;
}

Result<Spool> Spool::open_file(const std::string &path, std::uint64_t limit, TimeUs now, int &code)
{
	sqlite3 *db = nullptr;
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
	Spool spool(db, limit);
	if(code == SQLITE_OK && sqlite3_busy_timeout(db, busy_timeout_ms) == SQLITE_OK
			&& spool.load(now))
		return spool;
	code = sqlite3_errcode(db);
	return Error{Errc::fatal, "spool " + path + ": " + spool.error().reason};
}

bool Spool::load(TimeUs now)
{
	// Two collectors on one spool would number their batches alike.
	if(!run("PRAGMA locking_mode = EXCLUSIVE"))
		return false;
	if(number("PRAGMA page_count") == 0) // it writes, which a full disk does not take
		run("PRAGMA auto_vacuum = INCREMENTAL");
	if(!run(schema) || !run("BEGIN IMMEDIATE"))
		return false;
	auto epoch = number("SELECT epoch FROM spool");
	if(!epoch) {
		const auto insert = prepare(db_.get(), "INSERT INTO spool (epoch) VALUES (?1)");
		if(!insert || sqlite3_bind_int64(insert.get(), 1, now) != SQLITE_OK
				|| sqlite3_step(insert.get()) != SQLITE_DONE)
			return false;
		epoch = static_cast<std::uint64_t>(now);
	}
	if(!run("COMMIT"))
		return false;
	epoch_ = noted_epoch_ = *epoch;
	last_ = number("SELECT seq FROM sqlite_sequence WHERE name = 'batch'").value_or(0);
	found_ = noted_last_ = last_;
	forgotten_ = number("SELECT min(seq) - 1 FROM batch HAVING count(*) > 0").value_or(last_);
	deleted_ = forgotten_;
	bytes_ = number("SELECT coalesce(sum(size), 0) FROM batch").value_or(0);
	return true;
}

} // namespace bmd
