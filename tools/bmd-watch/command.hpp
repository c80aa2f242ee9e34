/// @file command.hpp  Commands of the person at the terminal, as lines of text.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: what is sent and shown is decided elsewhere.
///
///     accept CODE [WHY]         reject CODE [WHY]         acknowledge CODE [WHY]
///     resolve CODE actionable|false [WHY]                 silence CODE SECONDS [WHY]
///     approve USER FEED         refuse USER FEED
///     help                      quit

#pragma once

#include <string>
#include <string_view>

#include "bmd/dmp.hpp"
#include "bmd/result.hpp"

namespace bmd::watch {

struct Command
{
	enum class Kind : std::uint8_t
	{
		none, ///< an empty line
		answer,
		help,
		quit
	};
	Kind kind = Kind::none;
	dmp::Control control; ///< of an answer; the first Argument is the code in capitals, the id, or
						  ///< who waits
};

/// Errors: malformed, saying what is wrong.  "ack" and "done" are read as acknowledge and resolve.
[[nodiscard]] Result<Command> parse_command(std::string_view line);

/// The commands, in one line.
[[nodiscard]] std::string_view command_help() noexcept;

} // namespace bmd::watch
