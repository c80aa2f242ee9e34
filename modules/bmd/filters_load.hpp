/// @file filters_load.hpp  What the database has of filters.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include "pg.hpp"

namespace bmd {

/// At the start, when the subscriptions are known: gives them their filters.  Rows of subscriptions
/// that are not there go.
[[nodiscard]] Result<bool> load_filters(Pg &pg);

} // namespace bmd
