/// @file shown.hpp  What is shown of a device to whom something is written for.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <functional>
#include <optional>

#include "bmd/policy.hpp"
#include "store.hpp"

namespace bmd {

/// nullopt: it is not named at all.
using ShownDevice = std::function<std::optional<Shown>(Index device)>;

} // namespace bmd
