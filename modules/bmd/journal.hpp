/// @file journal.hpp  What waits in shared memory to be written to the database.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Two rings: batches of readings, and changes of alerts.  The changes a batch causes are queued
/// before the batch is published, so a batch is durable only together with them.

#pragma once

#include <string_view>

#include "store.hpp"

namespace bmd {

/// What a reading did to one of the two watches of its metric: a condition began to wait for its
/// delay, or waits no longer.  The other values are those of Breach.
enum class Wait : std::uint8_t
{
	as_before = 0,
	low = 1,
	high = 2,
	invalid = 3,
	over = 4
};

/// One reading of a batch.
struct ReadingRec
{
	TimeUs measured_at;
	double value;
	std::int32_t device; ///< bmd_device.device_id
	MetricId metric;
	std::uint8_t kind : 4;          ///< ReadingKind; 0: none, only the waits are told
	std::uint8_t priority : 4;      ///< of alarm_on, else 0
	std::uint8_t wait_limits : 4;   ///< Wait
	std::uint8_t wait_validity : 4; ///< Wait
};

/// Head of a batch; `count` ReadingRec follow.
struct BatchRec
{
	TimeUs arrived_at;
	std::int64_t epoch; ///< no_readings: it tells waits only
	std::int64_t seq;
	Index collector; ///< 0: reported by hand, no watermark
	std::uint32_t count;
};

inline constexpr std::int64_t no_readings = -1;

/// One change of one alert, with the words that go into the database.
struct AlertEvent
{
	AlertRec alert;
	std::int32_t device; ///< bmd_device.device_id
	Uuid part_of;        ///< the alert of the storm that tells of it; all zero: none
	char event[16];      ///< raised, cleared, latched, reopened, updated, removed ...
	char who[name_size];
	char through[16];
	char why[96];
	char type[name_size];
	char location[location_size];
	char patient_name[patient_name_size];
	char patient_address[patient_address_size];
};

/// Who did something to an alert, and through what; all empty for the system itself.
struct Actor
{
	std::string_view who;
	std::string_view through;
	std::string_view why;
	bool person = false; ///< it is a person's answer: the last places of the journal are for these
};

/// Queues the present state of an alert.  False when the ring is full: alert.journaled stays behind
/// alert.revision and rejournal() catches up; of a person's answer the log keeps what only its
/// event would have said.  Caller holds the device's stripe.
bool journal_alert(AlertRec &alert, std::string_view event, const Actor &actor) noexcept;

/// The waits of a metric ended other than by a reading (its rule changed, its device changed
/// hands).  Without room in the ring it is not told, and a restart goes on with the wait.
void journal_waits_over(std::int32_t device, MetricId metric) noexcept;

/// Is there room for so many changes by the system itself?  The last slots of the ring are for the
/// answers of people, which name who gave them.
[[nodiscard]] bool journal_has_room_for(std::size_t changes) noexcept;

/// Most readings that may be judged after one look at the room.
inline constexpr std::size_t readings_a_look = 256;

/// Is there room for what so many readings may cause?
[[nodiscard]] bool journal_has_room_for_alerts() noexcept;

/// Waits for it as long as the database is up, at most until `until` (monotonic).  For callers
/// without locks, but those of their own collector.
[[nodiscard]] bool wait_for_room_for_alerts(TimeUs until) noexcept;

/// Is more than its share of the ring, a quarter, taken by changes it caused?
[[nodiscard]] bool changes_over_share(const CollectorShare *share) noexcept;
/// Is more than its share of the journal, half of it, taken by its readings?
[[nodiscard]] bool readings_over_share(const CollectorShare *share) noexcept;

/// While it is held, what this process causes finds no room in the ring, but people's answers do:
/// it is made up for later.
void hold_history(bool held) noexcept;

/// Changes this process has queued: what a piece of work caused is the difference.
[[nodiscard]] std::uint64_t journaled_here() noexcept;

} // namespace bmd
