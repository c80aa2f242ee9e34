/// @file suppress.hpp  Which alerts are told but not urgently: maintenance windows, inhibition,
/// storms.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A suppressed alert is recorded, listed and shown like any other, with the reason.  Nobody is
/// called for it.  Callers hold the registry lock (shared) and the device's stripe.

#pragma once

#include "store.hpp"

namespace bmd {

/// What suppresses an alert, with the words for its history.
struct Suppressor
{
	Suppression how = Suppression::none;
	char who[name_size] = {}; ///< who set the maintenance window
	char why[window_why_size] = {};
};

/// A maintenance window comes before inhibition, and before a storm.
[[nodiscard]] Suppressor suppressor_of(const AlertRec &alert, TimeUs now) noexcept;

/// Open physiological alerts of a device: those that its stale alert inhibits.
[[nodiscard]] std::uint32_t physiological_alerts(Index device) noexcept;

/// Brings the open alerts of a device in line with what suppresses them now, and the count of its
/// stale alert.  What is suppressed no longer is told again.
void match_suppression(Index device, TimeUs now) noexcept;

} // namespace bmd
