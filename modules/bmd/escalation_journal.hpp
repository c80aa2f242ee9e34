/// @file escalation_journal.hpp  Steps of escalations that wait to be written, or to be sent.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Entries of two rings of the store.

#pragma once

#include "store.hpp"

namespace bmd {

/// A step that begins (bmd_escalation), or, with a feed, a recipient (bmd_escalation_recipient).
/// Recipients stand before their step, so a step that is stored has them all.
struct EscalationRow
{
	Uuid alert;
	TimeUs due_at; ///< wall clock, as the following
	TimeUs begun_at;
	TimeUs base_at;
	std::uint32_t number; ///< from 1
	std::uint32_t step;   ///< from 1
	std::uint32_t round;
	std::uint32_t people;
	char policy[name_size];
	char whom[64];
	char how[32];
	char why[96];
	char feed[feed_size];
};

/// A message or a call to a person: what takes them sends them.
struct SendTask
{
	Uuid alert;
	std::uint32_t revision;
	std::uint32_t number; ///< of the step
	std::uint32_t round;
	std::uint8_t how; ///< one bit of How
	char person[name_size];
};

/// Puts it into the journal, texts mended.  False when there is no room.
bool journal_escalation(EscalationRow row) noexcept;

/// Up to where rows have been handed in; what lies before `stored()` is in the database.
[[nodiscard]] std::uint64_t escalations_handed_in() noexcept;
[[nodiscard]] inline std::uint64_t escalations_stored() noexcept
{
	return store()->escalations.tail();
}

} // namespace bmd
