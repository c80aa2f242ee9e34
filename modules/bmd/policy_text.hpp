/// @file policy_text.hpp  Policies in shared memory: one process writes, all read.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <memory>

#include "bmd/policy.hpp"
#include "store.hpp"

namespace bmd {

/// Replaces it and wakes the notifiers.  False when there is no room: the old one stays, counted
/// and logged.
bool publish_policy(const Policy &policy);

/// The one in force; of a version that a process has read already this takes no lock.
[[nodiscard]] std::shared_ptr<const Policy> policy_now();

} // namespace bmd
