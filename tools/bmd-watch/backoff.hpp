/// @file backoff.hpp  How long to wait before trying again.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <algorithm>
#include <cstdint>

namespace bmd::watch {

/// Doubles from 1 s to 30 s; a technician is not to miss alerts for minutes after an outage.
class Backoff
{
public:
	/// Milliseconds to wait.  `at_least` is what the server asked for (Retry-After), in seconds.
	/// `random` is any number: it spreads terminals that all lost the same server, by up to a
	/// quarter.
	[[nodiscard]] std::uint32_t next(std::uint32_t at_least, std::uint32_t random) noexcept
	{
		const std::uint32_t wait = std::max(wait_ms_, std::min(at_least, 3600U) * 1000);
		wait_ms_ = std::min(wait_ms_ * 2, longest_ms);
		return wait + random % (wait / 4 + 1);
	}
	void reset() noexcept { wait_ms_ = shortest_ms; }

private:
	static constexpr std::uint32_t shortest_ms = 1000;
	static constexpr std::uint32_t longest_ms = 30'000;
	std::uint32_t wait_ms_ = shortest_ms;
};

} // namespace bmd::watch
