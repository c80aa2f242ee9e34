/// @file watcher_answer.hpp  Somebody who answers for a feed approves or refuses a watcher.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <string_view>

#include "bmd/dmp_control.hpp"

namespace bmd::dmp {

struct WatcherAnswer
{
	ResultCode code = ResultCode::ok;
	std::string reason;
	std::string person; ///< who waits
};

/// Carries out a Control with is_watcher_control() for this person.  `device`: the serial number of
/// the feed, or any_device.  Nobody learns of feeds that somebody else answers for.
[[nodiscard]] WatcherAnswer answer_watcher(
		std::string_view user, std::string_view device, const Control &control);

} // namespace bmd::dmp
