/// @file replays.hpp  Which NOTIFYs have come before: sent again by somebody who recorded them.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no SIP stack, no clock, no output.

#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <string>

#include "bmd/time.hpp"

namespace bmd::watch {

/// What tells one NOTIFY from another.
struct NotifyName
{
	std::string dialog; ///< Call-ID and the server's tag
	std::uint32_t cseq = 0;
	std::string branch; ///< of the topmost Via: one transaction
};

/// The dialogs of this terminal, also those that have ended, and up to which CSeq their NOTIFYs
/// have been taken.  What was not taken from the server is never counted up, so a NOTIFY that
/// somebody made up does not make a replay of those that follow.
class Replays
{
public:
	/// The stack has taken it: it belongs to a dialog of ours.  False: its CSeq is not above the
	/// last one there, so it has come before.
	bool take(const NotifyName &notify, TimeUs now);

	/// Of any NOTIFY on the wire, before the stack has looked at it: is its CSeq not above the last
	/// one of its dialog, and it is no retransmission (RFC 3261, 17.2.3, within 64 T1)?
	[[nodiscard]] bool is_replay(const NotifyName &notify, TimeUs now) const;

private:
	struct Transaction
	{
		std::uint32_t cseq;
		std::string branch;
		TimeUs at;
	};
	struct Dialog
	{
		std::string name;
		std::uint32_t last;
		std::deque<Transaction> lately;
	};
	[[nodiscard]] const Dialog *find(const std::string &name) const;

	std::list<Dialog> dialogs_; ///< the latest first
};

} // namespace bmd::watch
