/// @file tend.hpp  What becomes due of open alerts: ends of silences, rises of priority, closing.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include "store.hpp"

namespace bmd {

/// Somebody has to answer this alert, or need not any more: sets when its priority rises.  To be
/// called, before the change is recorded, whenever response, suppression or priority has changed.
/// Caller holds the registry lock (shared) and the device's stripe.
void await_answer(AlertRec &alert) noexcept;

/// An alert has something due at this monotonic time.
void note_due(TimeUs at) noexcept;

/// For the timer: does what is due.  Takes its own locks.
void tend_alerts() noexcept;

} // namespace bmd
