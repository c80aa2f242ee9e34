/// @file book.hpp  The alert book: open alerts of all devices.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Every change of an alert goes through here: it gets a revision, is journaled, and is told.
/// Callers hold the registry lock (shared) and the device's stripe; of a storm that of device 0.

#pragma once

#include "bmd/policy.hpp"
#include "journal.hpp"
#include "store.hpp"

namespace bmd {

/// What a new alert says.
struct NewAlert
{
	Index device = 0;
	MetricId metric = 0;
	Condition condition = Condition::low;
	AlertKind kind = AlertKind::physiological;
	Priority priority = Priority::high;
	double value = 0; ///< NaN: none
	double limit = 0; ///< NaN: none
	TimeUs measured_at = 0;
	TimeUs arrived_at = 0;
	TimeUs onset_at = 0;
	std::uint32_t mutes = 0;         ///< of a stale alert
	std::uint16_t most_per_hour = 0; ///< as in the rule
	std::string_view name = {};      ///< of a storm: instead of a serial number
};

/// How an alert ends.
enum class Ending : std::uint8_t
{
	may_come_back, ///< by itself: kept for the setting reopen_seconds
	closed         ///< for good
};

/// Opens an alert; one of the same condition that cleared less than the setting reopen_seconds ago
/// goes on instead.  0 when the book is full: counted and logged; the caller tries again later.
[[nodiscard]] Index raise_alert(const NewAlert &seed) noexcept;

/// The condition has gone.  A latching alert stays (returns false), another ends (returns true and
/// the slot is free).
bool condition_gone(Index alert, bool latching, TimeUs now) noexcept;

/// The condition of a latched alert, or of one that take_back() gave back, has come back, with what
/// `seed` says of value, limit and priority.
void reopen_alert(Index alert, const NewAlert &seed) noexcept;

/// The rule of an open alert, or its value against a second limit, has changed: takes limit and
/// priority of `seed`, and the value they were compared with.  Nothing is told when limit and
/// priority are what they were.
void update_alert(
		Index alert, const NewAlert &seed, std::string_view event, std::string_view why) noexcept;

/// A reading of an active alert: its worst value is followed, and one that is past a number which a
/// filter compares with is told, with that value, to subscriptions with filters.
void follow_value(Index alert, const NewAlert &seed) noexcept;

/// The device says that its own alarm has another priority, by a reading of these times.
void change_priority(Index alert, Priority priority, TimeUs measured, TimeUs arrived) noexcept;

/// Sets the priority; when it rises, a silence ends and an acknowledgement counts no more.  The
/// caller records the change.
void change_priority(AlertRec &alert, Priority priority, TimeUs now) noexcept;

/// Ends it whatever its state.
void end_alert(Index alert, std::string_view event, const Actor &actor, TimeUs now,
		Ending ending) noexcept;

/// Every change of an open alert ends here: it gets a revision, is journaled and told.
void record_change(
		AlertRec &alert, std::string_view event, const Actor &actor, TimeUs now) noexcept;

/// The same, but the caller tells whom it concerns.
void record_untold(
		AlertRec &alert, std::string_view event, const Actor &actor, TimeUs now) noexcept;

/// Puts an alert loaded from the database into the book, untold; a cleared one, to come back if its
/// condition does.  0 when there is no room.
[[nodiscard]] Index restore_alert(const AlertRec &alert) noexcept;

/// Copies an alert with the words of its device.  Caller holds the registry lock.
void describe_alert(const AlertRec &alert, AlertView &view, const Shown &shown = {});

} // namespace bmd
