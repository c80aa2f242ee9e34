/// @file slots.hpp  The slots of the alert book: which are open, kept, ended or free; codes.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// A slot is in one list: open alerts, newest first; kept ones (cleared, but the condition may come
/// back), oldest first; ended ones whose last change the journal has not taken; free ones.  The
/// book lock guards the lists.  An open alert belongs to who holds its device's stripe, a kept one
/// to who holds the book lock.  Callers hold the registry lock.

#pragma once

#include <string_view>

#include "journal.hpp"
#include "store.hpp"

namespace bmd {

/// Puts an alert into the list of open ones, whole, with a code unless it has one.  0: no room.
[[nodiscard]] Index take_slot(const AlertRec &alert) noexcept;
/// The same into the list of kept ones.
[[nodiscard]] Index take_kept_slot(const AlertRec &alert) noexcept;

/// An open alert is over: its slot is free, or waits until its end has been journaled.
void leave_slot(Index alert) noexcept;

/// An open alert has cleared and may come back.
void keep_slot(Index alert) noexcept;

/// What alert the condition was of, if it is kept.
struct KeptKey
{
	std::string_view serial;
	MetricId metric = 0;
	Condition condition = Condition::low;
};

/// Makes a kept alert that cleared after `since` an open, active one again, of `device`, for
/// reopen_alert(); `cleared_at` stays.  0: there is none.
[[nodiscard]] Index take_back(const KeptKey &key, std::int64_t patient, TimeUs since, Index device,
		Suppression suppressed = Suppression::none) noexcept;

/// Closes what is kept of a device; nothing when there is none.
void close_kept(std::string_view serial, std::string_view why) noexcept;

/// Closes the oldest kept alerts, those that cleared until `until` or, by a clock that was set
/// back, after `now`.
void close_old_kept(TimeUs until, TimeUs now) noexcept;

/// Within the book lock: closes this kept alert with an event.  `tell`: watchers learn of it; that
/// nothing came back is no news to them.
void close_kept_slot(Index alert, std::string_view event, const Actor &actor, TimeUs now,
		bool tell = false) noexcept;

/// Within the book lock: alerts that are not closed, by id or by code.  0: there is none.
[[nodiscard]] Index find_by_id(const Uuid &id) noexcept;
[[nodiscard]] Index find_by_code(std::uint32_t code) noexcept;

/// Is it in the list of kept ones?  Not by its state: an open alert is cleared for a moment before
/// it gets there, and a kept one has left it a moment before it is active again.
[[nodiscard]] inline bool is_kept(const AlertRec &alert) noexcept
{
	return alert.list == AlertList::kept;
}

/// Has the journal not taken its last change yet?
[[nodiscard]] inline bool behind(const AlertRec &alert) noexcept
{
	return alert.journaled != alert.revision;
}

/// Within the book lock: the oldest of ended alerts leaves its slot.
void free_ended(EndedList &list) noexcept;

/// Queues again what the journal had no room for.  Takes its own locks, the registry's too.
void rejournal() noexcept;

} // namespace bmd
