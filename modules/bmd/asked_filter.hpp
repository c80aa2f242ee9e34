/// @file asked_filter.hpp  The filter by which this process answers a SUBSCRIBE.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstdint>

namespace bmd {

/// What the SUBSCRIBE that is being answered asks for; 0: everything, or none is being answered.
void ask_with_filter(std::uint32_t number) noexcept;
[[nodiscard]] std::uint32_t asked_filter() noexcept;

} // namespace bmd
