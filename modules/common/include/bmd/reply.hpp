/// @file reply.hpp  Plain text that a person answers an alert with, from any phone.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// Pure: no clock, no I/O.  English and German words, in any case, with the alert's short code
/// before or after; lines that quote (">") do not count.  Nothing is guessed: one word that is not
/// known, a second code or two different answers make the whole text unclear, because "ok" in a
/// sentence may well mean the opposite.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/alert.hpp"
#include "bmd/response.hpp"
#include "bmd/time.hpp"

namespace bmd {

/// Longest text that is read, in bytes: that of a MESSAGE (RFC 3428, 8).
inline constexpr std::size_t max_reply = 1300;

/// What was raised less than that ago cannot have been seen, read and answered.
inline constexpr DurationUs unseen_window = 5 * second_us;

/// How long a request may be on its way again after its answer was lost: 64 times T1 of RFC 3261
/// (32 s), and some.
inline constexpr DurationUs repeat_window = 40 * second_us;

struct Reply
{
	enum class Kind : std::uint8_t
	{
		answer, ///< `act` and what belongs to it
		list,   ///< which alerts are open?
		help,
		unclear ///< `wrong` says why
	};
	Kind kind = Kind::unclear;
	Act act = Act::accept;
	std::string code; ///< in capitals; empty: none was given
	Outcome outcome = Outcome::none;
	long seconds = 0; ///< silence
	long page = 1;    ///< list
	std::string wrong;
};

/// Reads a reply:
///
///     ok okay ja yes accept ...            accept
///     no nein reject ...                   reject
///     ack acknowledge quittieren ...       acknowledge
///     done erledigt resolve ...            resolve, actionable; with false, fehlalarm: false
///     silence stumm ... NUMBER [s|min]     silence, for seconds unless it says minutes
///     list liste status [PAGE], help hilfe ?
///
/// "alert", "alarm" and "code" beside accept or reject want the code: "no alarm" may well say that
/// there is none.
///
/// Never fails: what cannot be read is Kind::unclear.
[[nodiscard]] Reply parse_reply(std::string_view text);

/// An alert that a reply without a code may mean.
struct Candidate
{
	Response response = Response::none;
	std::string_view by; ///< who answered it
	TimeUs answered_at = 0;
	TimeUs raised_at = 0;
	bool just_answered =
			false;     ///< `who` gave it this very answer, without a code, within the repeat window
	bool over = false; ///< it is not open any more
};

/// Which of the alerts that `who` is responsible for may be meant by a reply without a code: those
/// nobody has taken, those `who` holds, those `who` answered within the repeat window and whatever
/// was just answered by this very word, open or not: so the same text that comes again never
/// reaches another alert.  What nobody has taken must have been there for the unseen window;
/// acknowledge and resolve, which end the calling, want the repeat window.  Only a list of one is
/// an answer.
[[nodiscard]] std::vector<std::size_t> meant(
		std::span<const Candidate> open, Act act, std::string_view who, TimeUs now);

} // namespace bmd
