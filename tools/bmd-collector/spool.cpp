/// @file spool.cpp  Batches on disk until the server has them durably.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "spool.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "statement.hpp"

namespace bmd {

namespace {

// Giving up goes on to this part of the limit, so that it is not done for every batch.
constexpr std::uint64_t room_numerator = 9;
constexpr std::uint64_t room_denominator = 10;
constexpr std::chrono::milliseconds settle_budget{50};
constexpr std::size_t most_together = 256; // batches in one transaction …
constexpr std::uint64_t most_together_bytes = 1'000'000;
// So long one error of reading is no reason to give up what is on the disk.
constexpr std::chrono::seconds read_patience{3};

} // namespace

std::uint64_t Spool::add(const std::string &text, bool has_alarm)
{
	Held batch{text, has_alarm};
	const std::uint64_t seq = last_ + 1;
	const Numbered one{seq, &batch};
	if(!settle() || !write({&one, 1}))
		hold(std::move(batch), seq);
	last_ = seq;
	return seq;
}

// More at once each time the disk takes them: a commit for every batch would keep the newest ones
// from the server for minutes.
bool Spool::settle()
{
	const auto until = std::chrono::steady_clock::now() + settle_budget;
	while(!held_.empty() && std::chrono::steady_clock::now() < until) {
		std::vector<Numbered> some;
		std::uint64_t size = 0;
		for(const auto &[seq, batch] : held_) {
			if(some.size() == together_
					|| (size > 0 && size + batch.text.size() > most_together_bytes))
				break;
			some.push_back({seq, &batch});
			size += batch.text.size();
		}
		if(write(some)) {
			held_bytes_ -= size;
			held_.erase(held_.begin(), held_.upper_bound(some.back().seq));
			together_ = std::min(together_ * 2, most_together);
			continue;
		}
		if(some.size() == 1)
			return false;
		together_ = 1;
	}
	return held_.empty();
}

// Brings batches to the disk, with what else is to be done there.
bool Spool::write(std::span<const Numbered> batches)
{
	const Dropped before = dropped_;
	const auto bytes_before = bytes_;
	const std::uint64_t last = std::max(last_, batches.back().seq);
	bool good = run("BEGIN") && delete_forgotten();
	for(const Numbered &one : batches) {
		good = good && make_room(one.batch->text.size()) && insert(*one.batch, one.seq);
		bytes_ += one.batch->text.size();
	}
	if(good && note_marks(last) && run("COMMIT")) {
		deleted_ = forgotten_;
		noted_epoch_ = epoch_;
		noted_last_ = last;
		return true;
	}
	reason_ = error().reason;
	run("ROLLBACK");
	dropped_ = before;
	bytes_ = bytes_before;
	return false;
}

bool Spool::noted() const noexcept
{
	return noted_epoch_ == epoch_ && noted_last_ == last_;
}

// Numbers of batches that were in memory only must not come again either.
bool Spool::note_marks(std::uint64_t last)
{
	if(noted_epoch_ == epoch_
			&& number("SELECT seq FROM sqlite_sequence WHERE name = 'batch'") == last)
		return true;
	const auto epoch = prepare(db_.get(), "UPDATE spool SET epoch = ?1");
	const auto drop = prepare(db_.get(), "DELETE FROM sqlite_sequence WHERE name = 'batch'");
	const auto mark =
			prepare(db_.get(), "INSERT INTO sqlite_sequence (name, seq) VALUES ('batch', ?1)");
	return epoch && drop && mark
		   && sqlite3_bind_int64(epoch.get(), 1, signed64(epoch_)) == SQLITE_OK
		   && sqlite3_bind_int64(mark.get(), 1, signed64(last)) == SQLITE_OK
		   && sqlite3_step(epoch.get()) == SQLITE_DONE && sqlite3_step(drop.get()) == SQLITE_DONE
		   && sqlite3_step(mark.get()) == SQLITE_DONE;
}

bool Spool::insert(const Held &batch, std::uint64_t seq)
{
	const auto s = prepare(
			db_.get(), "INSERT INTO batch (seq, has_alarm, size, text) VALUES (?1, ?2, ?3, ?4)");
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
	const std::uint64_t most = std::min(limit_, most_held);
	if(held_bytes_ + need > most)
		dropped_.plain += give_up_held(false, need);
	if(held_bytes_ + need > most)
		dropped_.alarms += give_up_held(true, need);
	held_bytes_ += need;
	held_.emplace(seq, std::move(batch));
}

// Of one kind, the oldest first, until there is room for `need` bytes.  Returns how many.
std::uint64_t Spool::give_up_held(bool alarms, std::uint64_t need)
{
	std::uint64_t count = 0;
	const std::uint64_t most = std::min(limit_, most_held);
	for(auto at = held_.begin(); at != held_.end() && held_bytes_ + need > most;) {
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
	const auto find = prepare(db_.get(),
			"SELECT seq, size FROM batch WHERE has_alarm = ?1 AND seq > ?2 ORDER BY seq");
	const auto drop = prepare(db_.get(), "DELETE FROM batch WHERE has_alarm = ?1 AND seq <= ?2");
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
	const std::uint64_t from = std::max(seq, forgotten_ + 1);
	const auto held = held_.lower_bound(from);
	if(held == held_.end() || (held == held_.begin() && from < held->first)) {
		auto on_disk = next_on_disk(from);
		const auto now = std::chrono::steady_clock::now();
		if(on_disk)
			unreadable_since_.reset();
		else if(!unreadable_since_)
			unreadable_since_ = now;
		const bool given_up = unreadable_since_ && now - *unreadable_since_ >= read_patience;
		if(held == held_.end() || (on_disk && *on_disk) || (!on_disk && !given_up))
			return on_disk;
	}
	return std::optional<Batch>(Batch{held->first, held->second.text});
}

Result<std::optional<Spool::Batch>> Spool::next_on_disk(std::uint64_t seq)
{
	const auto s =
			prepare(db_.get(), "SELECT seq, text FROM batch WHERE seq >= ?1 ORDER BY seq LIMIT 1");
	if(!s || sqlite3_bind_int64(s.get(), 1, signed64(seq)) != SQLITE_OK)
		return error();
	const int status = sqlite3_step(s.get());
	if(status == SQLITE_DONE)
		return std::optional<Batch>();
	if(status != SQLITE_ROW)
		return error();
	Batch batch;
	batch.seq = static_cast<std::uint64_t>(sqlite3_column_int64(s.get(), 0));
	const auto *text = reinterpret_cast<const char *>(sqlite3_column_text(s.get(), 1));
	if(text == nullptr)
		return error();
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
	const auto s = prepare(db_.get(), "DELETE FROM batch WHERE seq = ?1 RETURNING has_alarm, size");
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

void Spool::renew(TimeUs now)
{
	epoch_ = static_cast<std::uint64_t>(now);
	if(const auto noted = tidy(); !noted)
		reason_ = noted.error().reason;
}

Result<bool> Spool::tidy()
{
	if(deleted_ == forgotten_ && noted())
		return false;
	const auto bytes_before = bytes_;
	if(run("BEGIN") && delete_forgotten() && note_marks(last_) && run("COMMIT")) {
		deleted_ = forgotten_;
		noted_epoch_ = epoch_;
		noted_last_ = last_;
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
	const auto sum = prepare(db_.get(), "SELECT coalesce(sum(size), 0) FROM batch WHERE seq <= ?1");
	const auto drop = prepare(db_.get(), "DELETE FROM batch WHERE seq <= ?1");
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
	return sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::optional<std::uint64_t> Spool::number(const char *sql)
{
	const auto s = prepare(db_.get(), sql);
	if(!s || sqlite3_step(s.get()) != SQLITE_ROW || sqlite3_column_type(s.get(), 0) == SQLITE_NULL)
		return std::nullopt;
	return static_cast<std::uint64_t>(sqlite3_column_int64(s.get(), 0));
}

Error Spool::error() const
{
	return Error{Errc::retry, db_ != nullptr ? sqlite3_errmsg(db_.get()) : "out of memory"};
}

} // namespace bmd
