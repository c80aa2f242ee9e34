/// @file screen.hpp  The whole screen of a terminal, as text.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: what stands where.  Nothing of it moves by itself, and nothing blinks.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "bmd/time.hpp"
#include "console.hpp"
#include "feed_state.hpp"

namespace bmd::watch {

struct ScreenSize
{
	std::size_t rows = 24;
	std::size_t columns = 80;
};

/// What is shown besides the alerts.
struct ScreenState
{
	std::string person;                ///< address
	std::map<std::string, bool> links; ///< feeds and the registration: is it in force?
	TimeUs deaf_since = 0;             ///< the server has not answered since; 0: it does
	bool unproven = false;             ///< the server has not proved that it knows the password
	TimeUs changed_at = 0;             ///< when something last came from the server
	std::string said;                  ///< last thing that happened; one line
	/// Feeds with a filter: open alerts that it left out of the last full state.
	std::map<std::string, std::uint32_t> left_out = {};
};

/// Does this change call for somebody?  An alert of high priority that is not suppressed and is
/// new, has risen, is back, has resumed, or is nobody's any more.
[[nodiscard]] bool rings(const Change &change) noexcept;

/// Lines from the top: who, what is not heard of, and how many; the alerts, most urgent first, two
/// lines each, the chosen one marked; what was said last; the question or the keys.  Exactly `rows`
/// lines of at most `columns` characters (control sequences for colour not counted).  Alerts that
/// find no room are counted; the chosen one always has room.
[[nodiscard]] std::string screen_of(
		const ScreenState &state, const Console &console, ScreenSize size, bool colour);

} // namespace bmd::watch
