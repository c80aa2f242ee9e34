/// @file response.hpp  The answers to an alert: which are legal when, and what they change.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// Pure: no clock, no I/O.  The condition of an alert (active, latched, cleared) is decided by the
/// readings; beside it stands the response of people.  An alert is *closed* when its condition is
/// over and a person has dealt with it, or when it is over by itself and has not come back.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bmd/alert.hpp"
#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd {

inline constexpr std::size_t answerer_size = 32; ///< name of a person with its closing zero

/// What people made of one alert.  Plain record: lives in shared memory; all zero at the beginning.
struct ResponseState
{
	char by[answerer_size] = {}; ///< who accepted, rejected or acknowledged it
	TimeUs at = 0;               ///< since when `response` stands
	TimeUs taken_at = 0;         ///< first time that somebody accepted or dealt with it; 0: never
	TimeUs silenced_until = 0;   ///< 0: not silenced
	Response response = Response::none;
	Outcome outcome = Outcome::none;
	Suppression suppressed = Suppression::none;
	std::uint8_t step = 0; ///< of the escalation, from 1
};

/// What is done to an alert.
enum class Act : std::uint8_t
{
	deliver = 1,     ///< a terminal has taken it
	accept = 2,      ///< "I see to it"
	reject = 3,      ///< "not I"; of whom accepted it: hands it back
	escalate = 4,    ///< the next step begins
	acknowledge = 5, ///< "dealt with": a latched alert closes, another when its condition has gone
	silence = 6,     ///< for a bounded time; nothing is hidden
	resolve = 7,     ///< acknowledges and says what it turned out to be
	end = 8,         ///< it is over though no reading said so: an operator's alone
	hand_back = 9    ///< whoever accepted it can see to it no longer: the system's alone
};

/// "deliver", "accept", ... as above.
[[nodiscard]] std::string_view to_string(Act) noexcept;
[[nodiscard]] std::optional<Act> parse_act(std::string_view) noexcept;

struct Answer
{
	Act act = Act::accept;
	std::string_view who; ///< 1 to 31 bytes; empty for what the system alone does
	TimeUs at = 0;
	TimeUs until = 0; ///< silence: its end, the newest word counts; not after `at`: it is over
	Outcome outcome = Outcome::none; ///< resolve
	std::uint8_t step = 0;           ///< escalate: from 1
	bool any_persons = false;        ///< reject: may hand back what another person accepted
};

/// How the alert stands apart from its response.
struct Circumstances
{
	AlertState state = AlertState::active;
	Priority priority = Priority::high;
	bool closed = false;
	DurationUs longest_silence = 0; ///< at this priority
};

struct Transition
{
	ResponseState state;
	std::string_view event; ///< name of the change; empty: it was so already, nothing changes
	bool closes = false;    ///< the alert is over with it
};

/// What an answer does.  The same answer of the same person again changes nothing.
/// Errors: malformed, the answer itself is wrong (nobody's, no outcome, longer than a silence may
/// last); denied, it is not legal now: the reason says why, and whose the alert is.
[[nodiscard]] Result<Transition> apply(
		const ResponseState &before, const Circumstances &now, const Answer &answer);

/// Has somebody taken it, so that nobody else is called?
[[nodiscard]] bool taken(const ResponseState &state) noexcept;

/// How long an acceptance outlasts the ends of an alert that comes back.
inline constexpr DurationUs longest_acceptance = 3600 * second_us;

/// The condition has come back: who accepted the alert keeps it, unless that was longer ago than
/// longest_acceptance; any other response begins anew.
void come_back(ResponseState &state, TimeUs at) noexcept;

/// The alert has become more urgent: a silence ends, and who had dealt with less is asked again.
void worsen(ResponseState &state, TimeUs at) noexcept;

} // namespace bmd
