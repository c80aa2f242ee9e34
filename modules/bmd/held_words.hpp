/// @file held_words.hpp  What rules of watchers hold back, for people.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>

#include "bmd/civil.hpp"
#include "held.hpp"

namespace bmd {

/// "tech1 until 2026-03-29T02:00:00+01:00 (digest, rule 3); ...": from whom something of the alert
/// is held back, each person once.  Empty: from nobody.
[[nodiscard]] std::string held_words(const Uuid &alert, const Zone &zone);

} // namespace bmd
