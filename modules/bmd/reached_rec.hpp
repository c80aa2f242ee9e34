/// @file reached_rec.hpp  Record of the store: an alert and somebody it was told to.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstdint>

#include "alert_rec.hpp"
#include "bmd_core_reach.h"

namespace bmd {

/// How a person learnt of an alert; the first three are the ways of bmd_delivery.
enum class ReachedBy : std::uint8_t
{
	subscription = 0,
	message = BMD_TASK_MESSAGE,
	call = BMD_TASK_CALL,
	answer = 255 ///< seen: the person answered or queried it
};

/// Of a message there is one for each terminal; of any other way one for the person.
struct ReachedRec
{
	Uuid alert;
	std::uint64_t terminal; ///< hash of its URI; of another way than a message of the person's name
	std::uint64_t instance; ///< hash of its instance id; 0: it has none
	TimeUs at;              ///< wall clock: when it was first taken; 0: asked for or tried only
	TimeUs tried_at;        ///< monotonic: outcome of the last attempt since the start; 0: none
	Index next;             ///< in the bucket of the alert; also: next free one
	ReachedBy by;
	std::uint8_t told;        ///< enum bmd_told: what the terminal was told last, of a message
	bool failed : 1;          ///< the last attempt
	bool over : 1;            ///< the alert was not in the book any more at the last look
	std::uint8_t subscribers; ///< of the alert's entries up to this one, those of a NOTIFY
	char person[name_size];
};

} // namespace bmd
