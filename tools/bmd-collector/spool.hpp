/// @file spool.hpp  Batches on disk until the server has them durably.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// An SQLite file.  A batch is on the disk when add() returns, unless on_disk() says otherwise:
/// what a full or broken disk does not take is held in memory, in its place, until the disk takes
/// it. A batch's number never comes again in this spool's life, which is named by its epoch; a new
/// file is a new epoch. Numbers have no gaps: a batch given up for want of space stays as an empty
/// one.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bmd/result.hpp"
#include "bmd/time.hpp"

struct sqlite3;

namespace bmd {

class Spool
{
public:
	struct Batch
	{
		std::uint64_t seq = 0;
		std::string text;
	};

	/// What was given up because the spool was full.
	struct Dropped
	{
		std::uint64_t plain = 0;  ///< batches without alarm information
		std::uint64_t alarms = 0; ///< batches with it
	};

	/// Held in memory at most, whatever the limit of the file.
	static constexpr std::uint64_t most_held = 64'000'000;

	/// `path` may be ":memory:".  `now` becomes the epoch of a new spool.  Where the disk is full,
	/// broken or read-only, and the file cannot be opened for that, memory stands in for it: then
	/// in_file() is false.  Errors: fatal, with SQLite's reason.
	[[nodiscard]] static Result<Spool> open(
			const std::string &path, std::uint64_t limit_bytes, TimeUs now);

	/// False when memory stands in for the file; reason() says why.
	[[nodiscard]] bool in_file() const noexcept { return in_file_; }

	/// Stores one batch and returns its number.  Makes room first: oldest batches without alarm
	/// information, then oldest ones with it.
	std::uint64_t add(const std::string &text, bool has_alarm);

	/// False while batches are held in memory only.
	[[nodiscard]] bool on_disk() const noexcept { return held_.empty(); }
	/// Why, in SQLite's words.
	[[nodiscard]] const std::string &reason() const noexcept { return reason_; }
	/// Tries the disk again with what is held, for about 50 ms.  True when nothing is held any
	/// more.
	bool settle();

	/// The batch with the lowest number that is at least `seq`; nullopt: none.  When the disk has
	/// not been readable for three seconds, of those held in memory.  Errors: retry.
	[[nodiscard]] Result<std::optional<Batch>> next(std::uint64_t seq);

	/// Everything up to `seq` is safe at the server.  Forgotten on disk with the next add() or
	/// tidy().
	void forget(std::uint64_t seq) noexcept;

	/// Carries out forget(), and notes epoch and newest number on the disk.  Errors: retry.
	[[nodiscard]] Result<bool> tidy();

	/// Gives up a batch that the server can never take: counted as dropped.  False when it is not
	/// there.  Errors: retry.
	[[nodiscard]] Result<bool> give_up(std::uint64_t seq);

	/// Begins a new life: the batches keep their numbers under a new epoch.  Holds at once; it is
	/// on the disk when the disk takes it.
	void renew(TimeUs now);

	[[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
	/// The newest number that the file knew of when it was opened.
	[[nodiscard]] std::uint64_t found() const noexcept { return found_; }
	/// Number of the newest batch; 0 before the first.
	[[nodiscard]] std::uint64_t last() const noexcept { return last_; }
	/// Everything up to here has been forgotten.
	[[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_; }
	[[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
	/// In memory only.
	[[nodiscard]] std::uint64_t held_bytes() const noexcept { return held_bytes_; }
	[[nodiscard]] const Dropped &dropped() const noexcept { return dropped_; }

private:
	struct Held
	{
		std::string text;
		bool has_alarm;
	};

	struct Numbered
	{
		std::uint64_t seq;
		const Held *batch;
	};
	struct Close
	{
		void operator()(sqlite3 *db) const noexcept;
	};

	Spool(sqlite3 *db, std::uint64_t limit) : db_(db), limit_(limit) {}

	static Result<Spool> open_file(
			const std::string &path, std::uint64_t limit, TimeUs now, int &code);
	bool load(TimeUs now);
	bool write(std::span<const Numbered> batches);
	bool insert(const Held &batch, std::uint64_t seq);
	[[nodiscard]] bool noted() const noexcept;
	bool note_marks(std::uint64_t last);
	void hold(Held batch, std::uint64_t seq);
	std::uint64_t give_up_held(bool alarms, std::uint64_t need);
	Result<std::optional<Batch>> next_on_disk(std::uint64_t seq);
	bool make_room(std::uint64_t need);
	bool drop_oldest(std::uint64_t need, int has_alarm, std::uint64_t &count);
	bool delete_forgotten();
	bool run(const char *sql);
	std::optional<std::uint64_t> number(const char *sql);
	[[nodiscard]] Error error() const;

	std::unique_ptr<sqlite3, Close> db_;
	std::uint64_t limit_;
	bool in_file_ = true;
	std::uint64_t epoch_ = 0;
	std::uint64_t last_ = 0;
	std::uint64_t found_ = 0;
	std::uint64_t forgotten_ = 0;
	std::uint64_t deleted_ = 0;     ///< forgotten_ as the file knows it
	std::uint64_t noted_epoch_ = 0; ///< epoch_ as the file knows it
	std::uint64_t noted_last_ = 0;  ///< last_ as the file knows it
	std::uint64_t bytes_ = 0;
	Dropped dropped_;
	std::map<std::uint64_t, Held> held_; ///< by number, all after those on the disk
	std::uint64_t held_bytes_ = 0;
	std::size_t together_ = 1; ///< of these, how many the disk is to take at once
	std::optional<std::chrono::steady_clock::time_point> unreadable_since_;
	std::string reason_;
};

} // namespace bmd
