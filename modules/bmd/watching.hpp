/// @file watching.hpp  Whom live subscriptions show the alerts of a device.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "store.hpp"

namespace bmd {

/// A subscription whose terminal left the last NOTIFY unanswered shows nothing.
class Watching
{
public:
	/// Caller holds the registry lock.
	explicit Watching(Index device);
	/// Does a subscription show this person the device's alerts: to the person's own feed, the
	/// device's, or that of one of its groups?
	[[nodiscard]] bool has(std::string_view person) const;

private:
	void add(std::string_view feed);
	std::set<std::string, std::less<>> users_; ///< of the feeds of the device and its groups
};

/// The same of one person, without looking at others.  Caller holds the registry lock.
[[nodiscard]] bool shown_by_subscription(Index device, std::string_view person);

} // namespace bmd
