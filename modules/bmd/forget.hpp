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

[[nodiscard]] Belonging belonging_of(std::string_view serial) noexcept;

/// After a device has been provisioned anew: forgets what was known of it when it is disabled, or
/// serves another patient, or is another row of the database than `before`.
void forget_if_other(Index device, const Belonging &before) noexcept;

/// Ends all alerts of the device as `event`, and forgets its values and what waits for a delay.
/// Silence counts from now.
void forget_device(Index device, std::string_view event) noexcept;

} // namespace bmd
