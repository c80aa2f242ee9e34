/// @file watcher_text.hpp  Rules of watchers in shared memory: one process writes, all read.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <memory>
#include <vector>

#include "bmd/watcher.hpp"
#include "store.hpp"

namespace bmd {

/// Replaces them and wakes the notifiers.  False when there is no room: the old ones stay, counted
/// and logged.
bool publish_watcher_rules(const std::vector<WatcherRule> &rules);

/// Those in force; of a version that a process has read already this takes no lock.
[[nodiscard]] std::shared_ptr<const WatcherRules> watcher_rules_now();

} // namespace bmd
