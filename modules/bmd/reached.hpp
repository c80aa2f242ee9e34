/// @file reached.hpp  To whom an alert was delivered, by what way, and who has seen it.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Bounded: a table of the store, and `most_subscribers` an alert that took a NOTIFY.  What finds
/// no room is not remembered: a text may then come twice.  Takes its own lock, which comes after
/// that of the book and before those of the rings.

#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "bmd/result.hpp"
#include "store.hpp"

namespace bmd {

class Pg;

/// People of whom it is remembered that a NOTIFY told them of one alert.
inline constexpr std::size_t most_subscribers = 64;

/// A person's terminal took the alert.
void note_delivered(const Uuid &alert, std::string_view person, ReachedBy by, TimeUs at) noexcept;

/// A message or a call was asked for: its changes are made known to who makes them.
void note_asked(const Uuid &alert, std::string_view person, ReachedBy by) noexcept;

/// Of the calls of the last step before a start: what became of that to this person is known.
void note_called(const Uuid &alert, std::string_view person) noexcept;
[[nodiscard]] bool was_called(const Uuid &alert, std::string_view person) noexcept;

/// What a text tells of an alert of this priority that waits for an answer.
[[nodiscard]] constexpr std::uint8_t told_waiting(Priority priority) noexcept
{
	return static_cast<std::uint8_t>(
			BMD_TOLD_LOW + static_cast<int>(priority) - static_cast<int>(Priority::low));
}

/// What became of a message to one terminal.
struct MessageOutcome
{
	std::string_view person;
	std::uint64_t terminal = 0;
	std::uint64_t instance = 0;
	std::uint8_t told = 0; ///< enum bmd_told
	bool taken = false;
	TimeUs at = 0;
};
void note_message(const Uuid &alert, const MessageOutcome &outcome) noexcept;

/// The person answered, or queried it.
void note_seen(const Uuid &alert, std::string_view person) noexcept;

/// Everything that is known of one alert, oldest first.
[[nodiscard]] std::vector<ReachedRec> reached_of(const Uuid &alert);

/// What terminals were told last by message, each alert and answer once.
[[nodiscard]] std::vector<std::pair<Uuid, int>> all_told();

/// Was a message or a call asked for or made?
[[nodiscard]] bool was_asked(const Uuid &alert) noexcept;

/// Forgets alerts that have been closed for a while.  For the timer.
void look_after_reached();

/// At the start, after the alerts: what a server before this one knew of those that are not closed.
[[nodiscard]] Result<bool> load_reached(Pg &pg);

} // namespace bmd
