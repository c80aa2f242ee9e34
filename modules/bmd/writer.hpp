/// @file writer.hpp  The one process that writes the journal into the database.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A transaction holds everything that waited: readings, changes of alerts, watermarks, and the
/// writer's own position, by which a COMMIT whose answer was lost is recognised.

#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "journal.hpp"
#include "pg.hpp"
#include "waiting.hpp"

namespace bmd {

class Writer
{
public:
	Writer(std::string conninfo, std::string node);

	/// One round: connect if need be, wait for work up to `milliseconds`, write it.
	/// Never throws; a failure is logged, counted and tried again in a later round.
	void round(int milliseconds) noexcept;

private:
	struct Watermark
	{
		Index collector;
		std::int64_t epoch;
		std::int64_t seq;
	};
	struct Load; // what one transaction writes

	[[nodiscard]] Result<bool> prepare();
	[[nodiscard]] Result<bool> read_position(std::int64_t &position);
	[[nodiscard]] Result<bool> know_collectors(const Load &load);
	/// All but the COMMIT.
	[[nodiscard]] Result<bool> write(Load &load);
	[[nodiscard]] Result<bool> write_readings(Load &load);
	[[nodiscard]] Result<bool> write_alerts(Load &load);
	[[nodiscard]] Result<bool> write_watermarks(const Load &load);
	[[nodiscard]] Result<bool> write_seen(const Load &load);
	/// What waits, up to these positions.
	void gather(Load &load, std::uint64_t journal_end, std::uint64_t events_end);
	[[nodiscard]] Result<bool> settle_doubt();
	void done(const Load &load);
	void failed(const Error &error);
	void keep_partitions();

	std::string conninfo_;
	std::string node_;
	Pg pg_;
	BinaryCopy copy_;
	WaitingChanges waiting_;
	std::unordered_set<std::int32_t> seen_; ///< devices known to have reported
	TimeUs next_connect_ = 0;               ///< monotonic
	TimeUs next_partitions_ = 0;            ///< monotonic
	int failures_ = 0;
};

} // namespace bmd
