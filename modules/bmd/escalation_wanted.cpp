/// @file escalation_wanted.cpp  Which alerts are escalated; how the book tells the escalation.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "escalation_wanted.hpp"

#include "rejections.hpp"

namespace bmd {

Wanted escalation_wanted(const AlertRec &alert) noexcept
{
	if(alert.state == AlertState::cleared)
		return Wanted::over;
	const ResponseState &response = alert.response;
	const bool rests = taken(response) || response.silenced_until != 0
					   || response.suppressed != Suppression::none;
	return rests ? Wanted::rest : Wanted::go_on;
}

void hasten_escalation(Index slot) noexcept
{
	store()->escalation[slot].flags.fetch_or(escalation_hasten);
	resume_escalations();
}

void reject_escalation(Index slot, const ResponseState &before, std::string_view who) noexcept
{
	const bool held = taken(before);
	const std::string_view rejecter = held ? std::string_view(before.by) : who;
	if(!has_rejected(slot, rejecter)) {
		note_rejection(slot, rejecter);
		store()->escalation[slot].flags.fetch_or(held ? escalation_hasten : escalation_rejected);
	}
	resume_escalations();
}

void resume_escalations() noexcept
{
	Store &s = *store();
	s.escalation_changed.store(true);
	s.escalation_waker.wake();
}

} // namespace bmd
