/// @file writer.hpp  The one process that writes the journal into the database.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A transaction holds everything that waited: readings, changes of alerts, watermarks, and the
/// writer's own position, by which a COMMIT whose answer was lost is recognised.

#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "delivery.hpp"
#include "escalation_journal.hpp"
#include "journal.hpp"
#include "pg.hpp"
#include "waiting.hpp"

namespace bmd {

/// At the start of a server, before anything is read: waits for the last transaction of a writer of
/// this node that was killed, and forbids it, or a second server of the same name, any other.
[[nodiscard]] Result<bool> take_over_node(Pg &pg, const std::string &node);

class Writer
{
public:
	/// `patience`: how long the server may be silent within a statement, milliseconds.
	/// `gather`: how long what is written waits for more.
	struct Gather
	{
		DurationUs deliveries = 0; ///< since the first of them came
		DurationUs all = 0;        ///< since the last transaction began; not when much waits
	};
	Writer(std::string conninfo, std::string node, int patience, Gather gather);

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
	struct ReadingRef
	{
		const BatchRec *batch;
		std::uint32_t number;
	};
	struct Refused; // rows that the database does not take
	struct Load;    // what one transaction writes

	[[nodiscard]] Result<bool> prepare();
	[[nodiscard]] Result<bool> settle_doubt();
	struct Ends // positions in the rings
	{
		std::uint64_t journal = UINT64_MAX;
		std::uint64_t events = UINT64_MAX;
		std::uint64_t deliveries = UINT64_MAX;
		std::uint64_t windows = UINT64_MAX;
		std::uint64_t escalations = UINT64_MAX;
	};
	/// What waits, up to these positions.
	void gather(Load &load, const Ends &ends);
	void gather_manageable(Load &load);
	/// Up to where there is neither a batch without its changes nor a change without its batch.
	[[nodiscard]] static bool complete(Ends &ends);
	[[nodiscard]] bool deliveries_due();
	/// Sleeps until more may be worth a transaction.
	void let_gather() const;
	void gather_batches(Load &load, std::uint64_t journal_end);
	/// The whole transaction.
	[[nodiscard]] Result<bool> store_load(Load &load, bool carefully);
	[[nodiscard]] Result<bool> claim_position();
	/// All between the claim and the COMMIT.
	[[nodiscard]] Result<bool> write(Load &load);
	/// The same; single rows that the database refuses are set aside.
	[[nodiscard]] Result<bool> write_carefully(Load &load);
	[[nodiscard]] Result<bool> know_collectors(const Load &load);
	void put_reading(const ReadingRef &reading);
	void put_response(const AlertRec &alert);
	void put_event(const AlertEvent &event);
	[[nodiscard]] Result<bool> write_readings(Load &load);
	[[nodiscard]] Result<bool> copy_readings_of(
			const std::vector<ReadingRef> &readings, std::size_t first, std::size_t last);
	[[nodiscard]] Result<bool> copy_events(
			const std::vector<const AlertEvent *> &events, std::size_t first, std::size_t last);
	[[nodiscard]] Result<bool> copy_deliveries(const Load &load);
	[[nodiscard]] Result<bool> write_window(const WindowRec &window);
	static void leave_windows(Load &load, std::size_t first);
	/// Those that are locked stay in their ring.
	[[nodiscard]] Result<bool> write_windows(Load &load);
	[[nodiscard]] Result<bool> copy_escalations(const Load &load);
	[[nodiscard]] Result<bool> write_watermarks(const Load &load);
	[[nodiscard]] Result<bool> write_seen(const Load &load);
	[[nodiscard]] Result<bool> write_refused(const Refused &refused);
	[[nodiscard]] Result<bool> copy_refused();
	void done(const Load &load);
	void failed(const Error &error);

	std::string conninfo_;
	std::string node_;
	int patience_;
	Pg pg_;
	BinaryCopy copy_;
	WaitingChanges waiting_;
	std::unordered_set<std::int32_t> seen_; ///< devices known to have reported
	TimeUs next_connect_ = 0;               ///< monotonic, as the following
	TimeUs next_windows_ = 0;               ///< one was locked: none is written before
	Gather gather_;
	TimeUs begun_ = 0;            ///< the last transaction
	TimeUs deliveries_since_ = 0; ///< the oldest that wait were found then; 0: none
	std::size_t most_bytes_;      ///< of readings in one transaction
	std::size_t most_rows_;       ///< of events, or of deliveries
	int failures_ = 0;
};

} // namespace bmd
