/// @file clock.hpp  The two clocks of the tools, in microseconds.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <chrono>

#include "bmd/time.hpp"

namespace bmd {

/// UTC, for what is stored and reported.
[[nodiscard]] inline TimeUs wall_clock()
{
	const auto now = std::chrono::system_clock::now().time_since_epoch();
	return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

/// Never goes back; says nothing about the date.
[[nodiscard]] inline TimeUs monotonic_clock()
{
	const auto now = std::chrono::steady_clock::now().time_since_epoch();
	return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

} // namespace bmd
