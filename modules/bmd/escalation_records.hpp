/// @file escalation_records.hpp  What the store keeps of escalation.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "bmd/ids.hpp"
#include "text.hpp"

namespace bmd {

enum EscalationFlag : std::uint8_t
{
	escalation_unfinished = 1, ///< the last step is to be made known still
	escalation_nobody = 2,     ///< the last look found nobody
	escalation_hasten = 4,     ///< the next step is due now: it was handed back, say
	escalation_rejected = 8,   ///< somebody rejected the alert: see `rejected`
	escalation_call = 16       ///< of the last step, who has not been called is called still
};

inline constexpr std::size_t most_rejecters = 8; ///< remembered of an alert

/// How far the escalation of the alert in the same slot of the book has come.
struct EscalationRec
{
	Uuid alert;  ///< another than the slot's: nothing has been done for that one yet
	TimeUs base; ///< monotonic: from when on steps are counted
	TimeUs last; ///< monotonic: see EscalationProgress; 0: not known
	TimeUs due;  ///< monotonic: next step; 0: none
	std::uint32_t begun;
	std::uint32_t opened; ///< Store::opened when it came into the list of open ones; book lock
	std::atomic<std::uint8_t> flags;                     ///< EscalationFlag bits
	std::atomic<std::uint32_t> rejected[most_rejecters]; ///< who rejected it; see rejections.hpp
};

/// Why a feed shows an alert that is not of a device of its own.
enum RecipientFlag : std::uint8_t
{
	recipient_called = 1,  ///< the alert was escalated to it
	recipient_devices = 2, ///< the alert is a storm of devices of the feed, among others
	recipient_holds = 4,   ///< the alert is a storm that this person has accepted
	recipient_any = 7
};

/// A feed shows an alert from now on.
struct RecipientRec
{
	Uuid alert;
	Index slot; ///< of the alert in the book, if it still is that one
	Index feed;
	Index next_of_alert; ///< in the bucket of its id; also: next free one
	Index next_of_feed;
	Index prev_of_feed; ///< so that it leaves a feed with any number of alerts at once
	std::uint8_t why;   ///< RecipientFlag bits
};

/// Rosters and policies as text (duty.hpp), for every process to read.
struct DutyText
{
	char *text = nullptr;
	std::size_t capacity = 0;
	std::size_t size = 0;
	std::uint64_t version = 0; ///< grows with every change; 0: none yet
};

} // namespace bmd
