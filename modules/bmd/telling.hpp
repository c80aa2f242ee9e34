/// @file telling.hpp  What one watcher is shown of alerts: which of them, and how much of each.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// What is not shown is left out here, before anything is written.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "permits.hpp"

namespace bmd {

struct Telling
{
	std::vector<AlertRec> alerts;
	std::vector<Shown> shown;              ///< of each; empty: all of all
	std::optional<std::uint32_t> counted;  ///< open alerts that are only counted; absent: none are
	std::optional<std::uint32_t> filtered; ///< that a filter leaves out; absent: there is none
	std::string user; ///< to whom, when there are rules for that person; empty: it does not matter

	[[nodiscard]] Shown of(std::size_t i) const { return shown.empty() ? Shown() : shown[i]; }
};

/// Of these alerts of a feed what this person may see.  Caller holds the registry lock.
[[nodiscard]] Telling tell_to(const Permits &permits, std::string_view user, std::string_view feed,
		std::vector<AlertRec> alerts);

/// All that a watcher of a feed is to see at one moment: two that are equal look equal.
struct Sight
{
	enum class State : std::uint8_t
	{
		on, ///< of a decoy, too
		pending,
		over
	};
	State state = State::over;
	std::vector<std::pair<Uuid, Shown>> alerts;
	std::optional<std::uint32_t> counted;

	bool operator==(const Sight &) const = default;
};

/// Caller holds the registry lock.
[[nodiscard]] Sight sight_of(const Permits &permits, std::string_view user, std::string_view feed);

} // namespace bmd
