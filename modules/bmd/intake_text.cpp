/// @file intake_text.cpp  Takes the text of a batch.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "intake_text.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <shared_mutex>

#include "bmd/report.hpp"
#include "evaluate.hpp"
#include "journal_batch.hpp"
#include "registry.hpp"
#include "stay.hpp"
#include "suppress.hpp"

namespace bmd {

namespace {

// `owner` is the hash of the name of the collector that a device belongs to; 0: none.  By hand
// every device is reported.
bool may_report(std::uint64_t owner, std::string_view collector) noexcept
{
	if(collector.empty() || owner == hash_name(collector))
		return true;
	return owner == 0 && !store()->assigned_only;
}

constexpr TimeUs earliest_time = 946'684'800 * second_us; // 2000-01-01: no device of ours is older
constexpr DurationUs latest_ahead = 24 * 3600 * second_us;
constexpr DurationUs longest_pause =
		24 * 3600 * second_us; // of a device; more is a clock that was set

struct Line
{
	std::size_t number;
	TimeUs time; ///< 0: arrival
	std::size_t first;
	std::size_t count;
};

void refuse(Receipt &receipt, Counter why, std::size_t line, std::string_view what,
		std::string_view reason, std::uint64_t readings) noexcept
{
	count(count_readings_refused, readings);
	count(why, readings);
	receipt.refused_count += readings;
	if(receipt.refused.size() >= max_refusals)
		return;
	try {
		std::string text = "line " + std::to_string(line) + ": ";
		for(const char c : what.substr(0, 64))
			text += c >= ' ' && c <= '~' ? c : '?';
		receipt.refused.push_back(text + ": " + std::string(reason));
	} catch(const std::bad_alloc &) {
		// Its words only: half a batch taken, half thrown would be worse.
	}
}

// Collects what the text says.  A long line becomes several, so that no more is judged between two
// looks at the room for alerts.
class Batch : public ReportSink
{
public:
	explicit Batch(Receipt &receipt) : receipt_(receipt) {}

	void line(std::size_t number, std::string_view serial, TimeUs time) override
	{
		lines.push_back(Line{number, time, items.size(), 0});
		serials.push_back(serial);
	}
	void item(const Reading &reading) override
	{
		if(lines.back().count >= readings_a_look) {
			lines.push_back(Line{lines.back().number, lines.back().time, items.size(), 0});
			serials.push_back(serials.back());
		}
		items.push_back(reading);
		++lines.back().count;
	}
	void refused(std::size_t number, std::string_view what, std::string_view reason) override
	{
		refuse(receipt_, count_refused_malformed, number, what, reason, 1);
	}

	std::vector<Line> lines;
	std::vector<std::string_view> serials; ///< of each line
	std::vector<Reading> items;

private:
	Receipt &receipt_;
};

bool is_alarm(const Reading &reading) noexcept
{
	return reading.kind == ReadingKind::alarm_on || reading.kind == ReadingKind::alarm_off;
}

void take_items(Index device_index, const Line &line, const Batch &batch, const Moment &moment,
		JournalBatch &journal, Mode mode)
{
	const std::int32_t device = store()->devices[device_index].database_id;
	// Alarms first: a sensor the device itself calls bad explains the invalid values beside it.
	for(const bool alarms : {true, false}) {
		for(std::size_t i = line.first; i < line.first + line.count; ++i) {
			const Reading &reading = batch.items[i];
			if(is_alarm(reading) != alarms)
				continue;
			const Waits waits = mode == Mode::store
										? waits_of_judged(device_index, reading.metric, moment)
										: take_reading(device_index, reading, moment);
			const bool on = reading.kind == ReadingKind::alarm_on;
			journal.add(ReadingRec{moment.measured, reading.value, device, reading.metric,
					static_cast<std::uint8_t>(reading.kind),
					static_cast<std::uint8_t>(on ? reading.priority : Priority{}),
					static_cast<std::uint8_t>(waits.limits),
					static_cast<std::uint8_t>(waits.validity)});
		}
	}
}

// 0 stands for the arrival.
bool plausible(TimeUs measured, TimeUs arrived) noexcept
{
	return measured == 0 || (measured >= earliest_time && measured <= arrived + latest_ahead);
}

// What a batch brings besides its text.
struct Task
{
	std::string_view collector;
	TimeUs arrived;
	Mode mode;
	JournalBatch &journal;
	Receipt &receipt;
	Stay &stay;
	TimeUs until;         ///< it waits for room for alerts at the latest; monotonic
	bool starved = false; ///< it did in vain: all was judged, nothing is stored
};

// Is the line older than the newest one of the device?  No line is newer than its arrival: where a
// clock that jumped has brought judging beyond that, it must not make the next collector's late.
bool older(const DeviceRec &device, const Moment &moment) noexcept
{
	const TimeUs newest = std::min(device.last_measured, device.last_arrived);
	return moment.judged < newest && newest <= moment.arrived;
}

// Batches of one collector come in order.  An older time then means that a clock was set back, the
// home's or this server's: judging goes on from where it was, at the pace of the device.  An older
// line of another collector is late: stored with its own time, not judged in hindsight.
bool in_turn(DeviceRec &device, std::uint64_t source, Moment &moment) noexcept
{
	if(moment.judged < device.last_measured) {
		const bool same = source == device.last_source;
		if(!same && device.last_source != 0 && older(device, moment))
			return false;
		count(count_clock_back);
		const DurationUs passed = same ? moment.measured - device.last_told : 0;
		moment.judged = device.last_measured + (passed > 0 && passed <= longest_pause ? passed : 0);
	}
	device.last_measured = moment.judged;
	if(source != 0) {
		device.last_source = source;
		device.last_told = moment.measured;
	}
	return true;
}

// The moment of a line, or why it is refused.  `late`: it is to be stored only.
const char *moment_of(Index device_index, const Line &line, const Task &task, Mode mode,
		Moment &moment, bool &late, Counter &why) noexcept
{
	const TimeUs arrived = task.arrived;
	moment = Moment{line.time == 0 ? arrived : line.time, 0, arrived};
	moment.judged = moment.measured < arrived ? moment.measured : arrived;
	if(!plausible(moment.measured, arrived)) {
		why = count_refused_time;
		return "its time is before 2000 or more than a day ahead";
	}
	if(moment.measured > arrived)
		count(count_clock_ahead);
	if(mode == Mode::store)
		return nullptr;
	const std::uint64_t source = task.collector.empty() ? 0 : hash_name(task.collector);
	DeviceRec &device = store()->devices[device_index];
	if(source == 0 && older(device, moment)) {
		why = count_refused_out_of_order;
		return "out of order: a later reading of this device has been taken";
	}
	late = !in_turn(device, source, moment);
	return nullptr;
}

void take_line(const Line &line, const Batch &batch, std::string_view serial, Task &task, Mode mode)
{
	if(line.count == 0)
		return;
	Store &s = *store();
	const auto refused = [&](Counter why, const char *reason) {
		if(mode != Mode::judge) // it is refused when it is sent again
			refuse(task.receipt, why, line.number, serial, reason, line.count);
	};
	const Index device = find_device(serial);
	if(device == 0)
		return refused(count_refused_unknown_device, "no such device is provisioned");
	const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
	const std::uint64_t owner = s.devices[device].collector;
	if(!may_report(owner, task.collector))
		return refused(count_refused_collector, owner != 0
														? "the device belongs to another collector"
														: "the device belongs to no collector");
	if(!(s.heard[device].flags.load() & device_enabled))
		return refused(count_refused_disabled_device, "the device is disabled");
	Moment moment{};
	Counter why{};
	bool late = false;
	if(const char *reason = moment_of(device, line, task, mode, moment, late, why);
			reason != nullptr)
		return refused(why, reason);
	const bool back = mode != Mode::store && device_heard(device, task.arrived);
	if(late)
		count(count_readings_late, line.count);
	take_items(device, line, batch, moment, task.journal, late ? Mode::store : mode);
	if(back)
		match_suppression(device, wall_now());
	task.receipt.accepted += line.count;
}

constexpr DurationUs longest_wait = second_us; // for the writer, of one batch

// One batch may cause more changes of alerts than there is room for: then it waits for the writer,
// without locks.  When that does not come in time, alerts go on and their history is made up for
// later (rejournal); the batch is not stored, so that it is durable only with its alerts.
void wait_for_the_writer(Task &task, std::shared_lock<RwLock> &registry)
{
	registry.unlock();
	task.starved = !wait_for_room_for_alerts(task.until);
	registry.lock();
}

// False when its collector's share is used up before all of it is judged: nobody waits for that
// here, where others wait for the process.  It goes on where it was when the batch comes again.
bool take_lines(const Batch &batch, Task &task)
{
	Store &s = *store();
	std::shared_lock<RwLock> registry(s.registry_lock);
	const std::size_t judged =
			task.mode == Mode::store ? batch.lines.size() : task.stay.lines_judged();
	std::size_t looked = readings_a_look; // readings taken since the last look
	for(std::size_t i = 0; i < batch.lines.size(); ++i) {
		if(i >= judged)
			looked += batch.lines[i].count;
		if(looked > readings_a_look) {
			looked = batch.lines[i].count;
			if(!task.stay.may_cause_more()) {
				task.stay.stops_at(i);
				return false;
			}
			if(task.mode == Mode::both && !task.starved && !journal_has_room_for_alerts())
				wait_for_the_writer(task, registry);
		}
		if(i >= judged || task.mode != Mode::judge)
			take_line(batch.lines[i], batch, batch.serials[i], task,
					i < judged ? Mode::store : task.mode);
	}
	task.stay.is_judged();
	return true;
}

void refuse_for_now(Receipt &receipt, Counter why, const char *reason)
{
	count(why);
	receipt = Receipt{};
	receipt.code = 503;
	receipt.reason = reason;
}

void over_share(Receipt &receipt)
{
	refuse_for_now(receipt, count_batches_over_share,
			"busy: changes of this collector's alerts wait to be written");
}

// All of it is judged.
void busy(const BatchId &id, const Stay &stay, Receipt &receipt)
{
	refuse_for_now(receipt, count_batches_busy,
			id.collector.empty() ? "busy: judged, not stored: the journal is full, the database "
								   "does not keep up"
			: stay.may_store()   ? "busy: the journal is full, the database does not keep up"
								 : "busy: readings of this collector wait to be written");
	receipt.judged = true;
}

// No room, or not its turn to be stored: alerts go out all the same, once.
void judge_only(const Batch &batch, const BatchId &id, Mode mode, Stay &stay, Receipt &receipt)
{
	if(mode != Mode::store) {
		JournalBatch none(0, id, 0, false);
		Receipt nothing;
		Task task{id.collector, wall_now(), Mode::judge, none, nothing, stay, 0};
		if(!take_lines(batch, task))
			return over_share(receipt);
		count(count_batches_judged);
	}
	busy(id, stay, receipt);
}

// Would anything of it be taken?  A name that brings nothing must not keep a slot.
bool worth_a_slot(const Batch &batch, const BatchId &id, TimeUs arrived)
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	for(std::size_t i = 0; i < batch.lines.size(); ++i) {
		const Line &line = batch.lines[i];
		const Index device = find_device(batch.serials[i]);
		if(device == 0 || line.count == 0 || !plausible(line.time, arrived))
			continue;
		const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
		if(may_report(s.devices[device].collector, id.collector)
				&& (s.heard[device].flags.load() & device_enabled))
			return true;
	}
	return false;
}

} // namespace

void take_text(Index collector, CollectorShare *share, const BatchId &id, std::string_view text,
		Mode mode, Receipt &receipt)
{
	Stay stay(share, id);
	Batch batch(receipt);
	read_report(text, batch);
	if(JournalBatch::bytes(batch.items.size()) > store()->journal.capacity() / 2) {
		receipt.code = 413;
		receipt.reason = "batch too large for the journal: send smaller ones";
		return;
	}
	if(mode != Mode::store && !stay.may_cause_more())
		return over_share(receipt);
	const TimeUs until = mono_now() + longest_wait;
	const bool wanted = mode != Mode::judge && stay.may_store() && wait_for_room_for_alerts(until);
	JournalBatch journal(collector, id, batch.items.size(), wanted);
	if(!journal.ok())
		return judge_only(batch, id, mode, stay, receipt);
	stay.stores(JournalBatch::bytes(batch.items.size()));
	Task task{id.collector, journal.head().arrived_at, mode, journal, receipt, stay, until};
	if(!take_lines(batch, task)) {
		journal.give_up();
		return over_share(receipt);
	}
	if(task.starved) {
		journal.give_up();
		count(count_batches_judged);
		return busy(id, stay, receipt);
	}
	count(count_batches);
	count(count_readings_accepted, receipt.accepted);
	if(receipt.accepted == 0) {
		receipt.code = 400;
		receipt.reason =
				receipt.refused.empty() ? "there is no reading in it" : receipt.refused.front();
	}
}

bool takes_any(const BatchId &id, std::string_view text, Receipt &receipt)
{
	const TimeUs arrived = wall_now();
	Receipt refusals;
	Batch batch(refusals);
	read_report(text, batch);
	if(worth_a_slot(batch, id, arrived))
		return true;
	JournalBatch none(0, id, 0, false);
	Stay nobodys(nullptr, id);
	Task task{id.collector, arrived, Mode::both, none, refusals, nobodys, 0};
	(void)take_lines(batch, task); // refuses every line
	receipt = std::move(refusals);
	receipt.code = 400;
	receipt.reason =
			receipt.refused.empty() ? "there is no reading in it" : receipt.refused.front();
	return false;
}

} // namespace bmd
