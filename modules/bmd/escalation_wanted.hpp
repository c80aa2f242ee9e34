/// @file escalation_wanted.hpp  Which alerts are escalated; how the book tells the escalation.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string_view>

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

/// The next step of the alert in this slot is due now, be it a repetition.
void hasten_escalation(Index slot) noexcept;

/// Somebody rejected the alert in this slot, whose response was `before`.  Its next step is due now
/// if that hands it back; or if the last step asked that person, and the next is no repetition.  Of
/// a person who has rejected it before it is not.
void reject_escalation(Index slot, const ResponseState &before, std::string_view who) noexcept;

/// Something that let an escalation rest may be over.
void resume_escalations() noexcept;

} // namespace bmd
