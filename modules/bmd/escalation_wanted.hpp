/// @file escalation_wanted.hpp  Which alerts are escalated; how the book tells the escalation.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include "store.hpp"

namespace bmd {

/// What escalation has to do with an alert in its present state; the one place that decides it.
enum class Wanted : std::uint8_t
{
	go_on,
	rest, ///< taken by somebody, silenced or suppressed: no step begins as long as that lasts
	over  ///< its condition has gone
};
[[nodiscard]] Wanted escalation_wanted(const AlertRec &alert) noexcept;

/// Somebody rejected the alert in this slot: its next step is due now.
void hasten_escalation(Index slot) noexcept;

/// Something that let an escalation rest may be over.
void resume_escalations() noexcept;

} // namespace bmd
