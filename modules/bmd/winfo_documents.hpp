/// @file winfo_documents.hpp  Watcher information of a feed, as one person may see it.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Takes the registry lock itself; no SIP here.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "permits.hpp"
#include "watchers.hpp"

namespace bmd {

/// A document ends at this many watchers (about 16 KB), full state at so many; those that wait come
/// first.
inline constexpr std::size_t watchers_per_document = 100;
inline constexpr std::size_t most_watchers = 1000;
/// No more subscriptions of one person to the watcher information of one feed.
inline constexpr std::size_t winfo_subscriptions = 8;
/// Not sooner than that after the last document (RFC 3857, 4.10).
inline constexpr DurationUs winfo_pause = 5 * second_us;

/// What somebody is shown of the watchers of a feed.
enum class WinfoSight : std::uint8_t
{
	none, ///< does not answer for it: is not told whether it exists
	own,  ///< is blocked politely: the own subscriptions, like those of a feed nobody else watches
	all   ///< answers for it: is responsible, may watch it and see its alerts
};
/// Caller holds the registry lock.
[[nodiscard]] WinfoSight winfo_sight(
		const Permits &permits, std::string_view user, std::string_view feed);
/// Takes the registry lock.
[[nodiscard]] WinfoSight winfo_sight_now(std::string_view user, std::string_view feed);

/// The feeds whose watchers the information on this feed tells of, sorted: of a personal one also
/// those of the person's devices and groups.  Caller holds the registry lock.
[[nodiscard]] std::vector<std::string> winfo_feeds(std::string_view feed);

/// The documents for somebody who watches this information, and up to which change they tell.
struct WinfoPages
{
	std::vector<std::string> texts; ///< of full state never empty; the first is full then
	std::uint64_t change = 0;
};
/// `after` 0: full state, else what changed after that.  Versions are 0.
[[nodiscard]] WinfoPages winfo_pages(
		std::string_view user, std::string_view feed, std::uint64_t after);

/// Full state without any watcher.
[[nodiscard]] std::string empty_winfo(std::string_view feed);

} // namespace bmd
