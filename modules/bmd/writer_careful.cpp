/// @file writer_careful.cpp  Writes a load of which the database refuses single rows.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// One bad row must not hold up everybody's: the load is halved until the bad ones are found, and
/// they go into bmd_set_aside within the same transaction.

#include <functional>

#include "bmd_host.h"
#include "writer_load.hpp"

namespace bmd {

namespace {

// Beyond so many in one load what is refused is set aside in the pieces it is found in.
constexpr std::size_t most_halved = 1000;

struct Range
{
	std::size_t first;
	std::size_t last;
};

using Attempt = std::function<Result<bool>(Range)>;
using SetAside = std::function<void(Range, const std::string &reason)>;

Result<bool> begin_part(Pg &pg)
{
	auto done = pg.run("SAVEPOINT part");
	return done ? Result<bool>(true) : done.error();
}

// An empty `refusal`: it was taken.
Result<bool> try_part(Pg &pg, Range range, const Attempt &attempt, std::string &refusal)
{
	refusal.clear();
	if(auto begun = begin_part(pg); !begun)
		return begun;
	Result<bool> tried = attempt(range);
	if(!tried) {
		if(tried.error().code != Errc::malformed)
			return tried;
		refusal = tried.error().reason;
		if(auto back = pg.run("ROLLBACK TO SAVEPOINT part"); !back)
			return back.error();
	}
	auto released = pg.run("RELEASE SAVEPOINT part");
	return released ? Result<bool>(true) : released.error();
}

Result<bool> take_all_but_bad(
		Pg &pg, std::size_t size, const Attempt &attempt, const SetAside &set_aside)
{
	std::vector<Range> todo;
	if(size > 0)
		todo.push_back({0, size});
	std::size_t bad = 0;
	std::string refusal;
	while(!todo.empty()) {
		const Range range = todo.back();
		todo.pop_back();
		if(auto tried = try_part(pg, range, attempt, refusal); !tried)
			return tried;
		if(refusal.empty())
			continue;
		const std::size_t count = range.last - range.first;
		if(count == 1 || bad >= most_halved) {
			bad += count;
			set_aside(range, refusal);
			continue;
		}
		const std::size_t middle = range.first + count / 2;
		todo.push_back({middle, range.last});
		todo.push_back({range.first, middle});
	}
	return true;
}

} // namespace

Result<bool> Writer::write_carefully(Load &load)
{
	// what would be refused at the COMMIT is refused where it can be told apart
	if(auto now = pg_.run("SET CONSTRAINTS ALL IMMEDIATE"); !now)
		return now.error();
	Refused refused;
	std::vector<ReadingRef> readings;
	for(const BatchRec *batch : load.batches)
		for(std::uint32_t i = 0; i < batch->count; ++i)
			if(reinterpret_cast<const ReadingRec *>(batch + 1)[i].kind != 0)
				readings.push_back({batch, i});
	const auto reading_refused = [&](Range range, const std::string &reason) {
		for(std::size_t i = range.first; i < range.last; ++i) {
			copy_.clear();
			put_reading(readings[i]);
			const auto *of = reinterpret_cast<const ReadingRec *>(readings[i].batch + 1);
			refused.rows.push_back(
					{of[readings[i].number].device, nullptr, reason, std::string(copy_.content())});
		}
	};
	const auto write_part = [&](Range range) {
		return copy_readings_of(readings, range.first, range.last);
	};
	if(auto step = take_all_but_bad(pg_, readings.size(), write_part, reading_refused); !step)
		return step;
	const auto event_refused = [&](Range range, const std::string &reason) {
		for(std::size_t i = range.first; i < range.last; ++i) {
			copy_.clear();
			put_event(*load.events[i]);
			refused.rows.push_back({load.events[i]->device, &load.events[i]->alert.id, reason,
					std::string(copy_.content())});
		}
	};
	const auto write_events = [&](Range range) -> Result<bool> {
		if(auto empty = pg_.run("DELETE FROM bmd_alert_in"); !empty)
			return empty.error();
		return copy_events(load.events, range.first, range.last);
	};
	if(auto step = take_all_but_bad(pg_, load.events.size(), write_events, event_refused); !step)
		return step;
	// nothing in them is free text: if they are refused, the table is not as we know it
	std::string refusal;
	const auto write_deliveries = [&](Range) { return copy_deliveries(load); };
	if(auto step = try_part(pg_, {0, 1}, write_deliveries, refusal); !step)
		return step;
	if(!refusal.empty())
		count(count_deliveries_dropped, load.deliveries.size());
	// of a device that has gone meanwhile
	const auto write_windows_of = [&](Range) { return write_windows(load); };
	if(auto step = try_part(pg_, {0, 1}, write_windows_of, refusal); !step)
		return step;
	if(!refusal.empty())
		count(count_windows_refused, load.windows.size());
	const auto write_escalations = [&](Range) { return copy_escalations(load); };
	if(auto step = try_part(pg_, {0, 1}, write_escalations, refusal); !step)
		return step;
	if(!refusal.empty())
		count(count_escalation_rows_lost, load.escalations.size());
	load.refused = refused.rows.size();
	if(auto step = waiting_.write(pg_); !step) // gathered by the first attempt
		return step;
	if(auto step = write_refused(refused); !step)
		return step;
	if(auto step = write_watermarks(load); !step)
		return step;
	return write_seen(load);
}

Result<bool> Writer::write_refused(const Refused &refused)
{
	if(refused.rows.empty())
		return true;
	const Refused::Row &first = refused.rows.front();
	const std::string whose = first.alert == nullptr
									  ? "a reading of device " + std::to_string(first.device)
									  : "a change of alert " + to_string(*first.alert);
	bmd_host_log(
			BMD_LOG_ERROR, ("writer: the database refuses " + std::to_string(refused.rows.size())
								   + " rows, set aside in bmd_set_aside; the first is " + whose
								   + ": " + first.reason)
								   .c_str());
	copy_.clear();
	for(const Refused::Row &row : refused.rows) {
		copy_.row(6);
		copy_.text(node_);
		copy_.text(row.alert == nullptr ? "reading" : "alert event");
		copy_.int32(row.device);
		if(row.alert == nullptr)
			copy_.null();
		else
			copy_.bytes(row.alert->data(), row.alert->size());
		copy_.text(row.reason);
		copy_.bytes(row.content.data(), row.content.size());
	}
	return copy_refused();
}

} // namespace bmd
