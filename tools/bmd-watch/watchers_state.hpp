/// @file watchers_state.hpp  What a terminal knows of the watchers of feeds, and what a document
/// changes in it. SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no SIP, no clock, no output.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bmd/winfo.hpp"
#include "feed_state.hpp"

namespace bmd::watch {

struct WatcherChange
{
	std::string resource;
	WatcherEntry watcher; ///< as it is now
};

/// What one document did.
struct WatcherNews
{
	Verdict verdict = Verdict::taken;
	std::optional<std::uint32_t> last; ///< version before it
	std::vector<WatcherChange> changes;
};

/// Does this one wait for somebody's approval?
[[nodiscard]] bool waits(const WatcherEntry &watcher) noexcept;

/// "tech3" of "sip:tech3@home.example".
[[nodiscard]] std::string user_of(const std::string &uri);

class WatchersState
{
public:
	/// Full replaces, partial merges (RFC 3858, 4).  Changes are those that were not known so.
	[[nodiscard]] WatcherNews take(const WatcherInfo &info);
	/// A new subscription begins: its first document may have any version and must be full.
	void restart() noexcept { version_.reset(); }

private:
	using Key = std::pair<std::string, std::string>; // resource and id
	std::map<Key, WatcherEntry> watchers_;
	std::optional<std::uint32_t> version_;
};

} // namespace bmd::watch
