/// @file escalation_journal.cpp  Steps of escalations that wait to be written.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "escalation_journal.hpp"

#include <new>

#include "bmd/words.hpp"

namespace bmd {

bool journal_escalation(EscalationRow row) noexcept
{
	Store &s = *store();
	std::uint64_t ticket = 0;
	void *slot = s.escalations.reserve(ticket);
	if(slot == nullptr)
		return false;
	for(char *text : {row.policy, row.whom, row.how, row.why})
		mend_words(text);
	new (slot) EscalationRow(row);
	s.escalations.publish(ticket);
	return true;
}

std::uint64_t escalations_handed_in() noexcept
{
	return store()->escalations.head(); // one look: the tail moves meanwhile
}

} // namespace bmd
