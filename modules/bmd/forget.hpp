/// @file forget.hpp  Ends what was known of a device when it changes hands.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Callers hold the registry lock exclusively.

#pragma once

#include <cstdint>
#include <string_view>

#include "store.hpp"

namespace bmd {

/// What the values and alerts of a device belong to.
struct Belonging
{
	std::int32_t database_id = 0; ///< 0: no such device yet
	std::int64_t patient = 0;     ///< 0: none
};

[[nodiscard]] Belonging belonging_of(Index device) noexcept;

/// Why what belonged to `before` ends when the device is `now`: "disabled", "removed" (another row
/// of the database) or "reassigned" (another patient); empty: it goes on.
[[nodiscard]] std::string_view why_other(
		const Belonging &before, const Belonging &now, bool enabled) noexcept;

/// Ends all alerts of the device as `event`, and forgets its values and what waits for a delay.
/// Silence counts from now.
void forget_device(Index device, std::string_view event) noexcept;

} // namespace bmd
