/// @file held_rec.hpp  Changes that wait to be told to one subscription, and by which rules.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Plain records of shared memory; the notifiers write them, kamcmd reads them.

#pragma once

#include <atomic>
#include <cstdint>

#include "alert_rec.hpp"
#include "bmd/watcher.hpp"

namespace bmd {

/// An alert of which something is held back from one subscription.
struct HeldRec
{
	AlertRec alert;       ///< as it was when it changed last
	std::uint64_t dialog; ///< whose; 0: free
	TimeUs since;         ///< wall clock: of the first change that is held
	TimeUs until;         ///< monotonic: it is judged again then
	std::int32_t rule;    ///< bmd_watcher_rule.rule_id
	HoldReason why;
	Index next; ///< next free one
};

} // namespace bmd
