/// @file screen.hpp  The whole screen of a terminal, as text.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: what stands where.  Nothing of it moves by itself, and nothing blinks.

#pragma once

#include <cstddef>
#include <string>

#include "bmd/time.hpp"
#include "console.hpp"

namespace bmd::watch {

struct ScreenSize
{
	std::size_t rows = 24;
	std::size_t columns = 80;
};

/// What is shown besides the alerts.
struct ScreenState
{
	std::string person; ///< address
	bool connected = false;
	TimeUs changed_at = 0; ///< when something last came from the server
	std::string said;      ///< last thing that happened; one line
};

/// Lines from the top: who and how many; the alerts, most urgent first, two lines each, the chosen
/// one marked; what was said last; the question or the keys.  Exactly `rows` lines of at most
/// `columns` characters (control sequences for colour not counted).  Alerts that find no room are
/// counted; the chosen one always has room.
[[nodiscard]] std::string screen_of(
		const ScreenState &state, const Console &console, ScreenSize size, bool colour);

} // namespace bmd::watch
