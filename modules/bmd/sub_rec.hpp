/// @file sub_rec.hpp  A live subscription, as it stands in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstddef>
#include <cstdint>

#include "alert_rec.hpp"
#include "watcher_rec.hpp"

namespace bmd {

inline constexpr std::size_t feed_size = 40; ///< user part of a feed: "dev." and a serial

/// A subscription, if it is still the one it was.
struct SubRef
{
	Index slot = 0; ///< 0: none
	std::uint32_t generation = 0;
};

/// A live subscription: one dialog of one terminal.
struct SubRec
{
	std::uint64_t dialog; ///< dialog_of(); 0: free
	TimeUs expires;       ///< monotonic: the record goes then
	TimeUs retry;         ///< monotonic: its full state is told again then; 0: no need
	TimeUs full_at;       ///< wall clock: its full state was written last; 0: never since the start
	TimeUs pending_since; ///< wall clock: it waits for approval since then; 0: it does not
	Index next_of_feed;   ///< also: next free one
	Index next_of_dialog;
	std::uint64_t row;        ///< hash of its row in the database but for counters; 0: not known
	std::uint32_t row_cseq;   ///< CSeq that went there with it
	std::uint32_t generation; ///< of the slot: grows when a subscription leaves it
	std::uint32_t filter;     ///< number of its filter; 0: it has none
	Index next_of_user;
	TimeUs silent_since;   ///< monotonic: the first NOTIFY that was sent when none was unanswered
	TimeUs sent_at;        ///< monotonic: the last NOTIFY
	TimeUs heard_at;       ///< monotonic: the last answer that took one
	std::uint32_t sent;    ///< NOTIFYs; whoever holds the dialog's lock writes it
	std::uint32_t done;    ///< of these answered, or gone
	bool owed;             ///< something was not sent; full state makes up for it
	std::uint32_t counted; ///< so many alerts it was told of by their number only
	bool counts;           ///< it was told such a number
	bool in_hand;          ///< something in it is being answered, or its end sent, within its lock
	std::uint8_t failures; ///< NOTIFYs in a row that were not answered
	WatcherRec watcher;
	char feed[feed_size];
	char user[name_size];
};

inline constexpr DurationUs grace = 40 * second_us; ///< presence may still send the last NOTIFY

/// Monotonic: when its time is over, by what its terminal asked for.
[[nodiscard]] inline TimeUs end_of(const SubRec &sub) noexcept
{
	return sub.expires - grace;
}

} // namespace bmd
