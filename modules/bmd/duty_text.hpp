/// @file duty_text.hpp  Rosters and policies in shared memory: one process writes, all read.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <memory>

#include "bmd/duty.hpp"
#include "store.hpp"

namespace bmd {

/// Replaces them.  False when there is no room: the old ones stay, counted and logged.
bool publish_duty(const Duty &duty);

/// Feeds that they name are there now: whoever reached nobody tries again.
void look_at_duty_again() noexcept;

/// Those in force.  A process reads the text once for each version; before the first one they are
/// empty.
[[nodiscard]] std::shared_ptr<const Duty> duty_now();
/// Which version that is.
[[nodiscard]] std::uint64_t duty_version() noexcept;

} // namespace bmd
