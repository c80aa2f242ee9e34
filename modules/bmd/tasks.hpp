/// @file tasks.hpp  What is to be told by message or call, on its way to the module that does it.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Entries of the store's ring of tasks.  Callers may hold any lock of the store but those of the
/// table reached and of a ring.

#pragma once

#include "bmd_core_reach.h"
#include "escalation_journal.hpp"

namespace bmd {

/// Hands it in and wakes who takes it.  False when there is no room: counted, logged, and made up
/// for by a look at everybody, which finds what texts are owed; a call must be asked for again.  A
/// quarter of the room is for the tasks of steps alone.
bool put_task(const SendTask &task) noexcept;

/// Is there room for one of a step?
[[nodiscard]] bool tasks_have_room() noexcept;

/// The same for one kind of task of a person, or of an alert.
void put_person_task(bmd_task_kind kind, std::string_view person) noexcept;

/// The alert has changed: whom messages and calls were asked for is made to know.
void put_change_task(const AlertRec &alert) noexcept;

/// Does a module take tasks?
[[nodiscard]] bool tasks_are_taken() noexcept;

/// The next task; false when none waits.
[[nodiscard]] bool take_task(SendTask &task) noexcept;

/// Takes messages and calls as long as no module does: each is counted and recorded as not sent.
void drain_tasks() noexcept;

} // namespace bmd
