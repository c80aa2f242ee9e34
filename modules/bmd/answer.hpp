/// @file answer.hpp  Answers of people to alerts: who may, what is legal, what it changes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <string_view>

#include "bmd/response.hpp"
#include "store.hpp"

namespace bmd {

/// Longest time that an alert of this priority may be silenced, by the settings.
[[nodiscard]] DurationUs longest_silence(const AlertRec &alert) noexcept;

struct AnswerTo
{
	std::string_view alert; ///< id or short code
	Answer answer;          ///< `at` is set here; `until` is the length of a silence
	std::string_view through;
	std::string_view why;
	bool entitled = false; ///< an operator: may answer for every device, and may end an alert
};

/// 200; 400: the answer itself is wrong; 403: not this person's device, or to accept, by an
/// operator, no enabled technician; 404: no such alert; 409: not legal now.  `reason` says which;
/// empty for 200.
struct Answered
{
	int status = 200;
	std::string reason;
};

/// Takes an answer: recorded, journaled, told.  The same one again is 200 and changes nothing.  It
/// is taken even when the journal is full: then who answered is stored with the alert once there is
/// room, its own event is not.  Whoever accepted an alert may always reject it.  Takes its own
/// locks.  May run out of memory.
[[nodiscard]] Answered answer_alert(const AnswerTo &to);

/// A step of its escalation, from 1, begins: recorded, journaled, told.  False: not legal now,
/// since somebody has taken it, say.  Caller holds the registry lock (shared) and the device's
/// stripe.
[[nodiscard]] bool escalate_alert(
		Index alert, std::uint32_t step, std::string_view through, std::string_view why);

/// Of an alert that is open: whoever has accepted it sees it, and when that person can see nothing
/// any more it is handed back and goes to the next people.  For the timer.  Caller holds the
/// registry lock (shared) and the device's stripe.
void look_at_holder(Index alert) noexcept;

/// Is this person responsible for the alert's device, or was the alert escalated to that person?
/// Caller holds the registry lock (shared), not that of the book.
[[nodiscard]] bool may_answer(std::string_view who, const AlertRec &alert);

/// Is this person to believe that there is no such alert, being blocked politely?  Locks as above.
[[nodiscard]] bool is_kept_quiet(std::string_view who, const AlertRec &alert);

/// A copy of an alert that is not closed, by id or short code, and its slot.  0: there is none, or
/// `alert` is neither.  Caller holds the registry lock.
[[nodiscard]] Index find_alert(std::string_view alert, AlertRec &found) noexcept;

/// What is said of an alert that find_alert() does not find.
[[nodiscard]] Answered unknown_alert(std::string_view alert);

} // namespace bmd
