/// @file watching.hpp  Whom live subscriptions show an alert.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "store.hpp"

namespace bmd {

/// A subscription whose terminal left the last NOTIFY unanswered shows nothing, nor does one whose
/// filter or policy leaves out what is urgent.
class Watching
{
public:
	/// Caller holds the registry lock.
	explicit Watching(const AlertRec &alert);
	/// Does a subscription show this person the alert: to the person's own feed, the device's, or
	/// that of one of its groups; of a storm that of a group of its devices?
	[[nodiscard]] bool has(std::string_view person) const;

private:
	std::set<std::string, std::less<>> users_; ///< of the feeds of devices and groups
};

/// The same of one person, without looking at others.  Caller holds the registry lock.
[[nodiscard]] bool shown_by_subscription(const AlertRec &alert, std::string_view person);

} // namespace bmd
