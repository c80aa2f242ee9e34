/// @file watch_options.hpp  The command line of bmd-watch.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bmd::watch {

enum ExitStatus : int
{
	exit_done = 0,
	exit_refused = 1,
	exit_usage = 2,
	exit_too_few = 3, ///< --duration passed before --until-alerts, or before any document came
	exit_crash = 4    ///< SIGUSR1
};

struct Options
{
	std::string aor;
	std::string registrar;
	std::string user;
	std::string password;
	std::vector<std::string> feeds; ///< at least one
	std::uint32_t expires = 3600;   ///< seconds, of subscriptions and of the registration
	bool do_register = true;
	std::string local_host; ///< address to bind; found from the registrar when not given
	std::string local_port; ///< "*": any
	std::string transport = "udp";
	bool json = false;
	bool screen = true;             ///< whole screen and keys, where both ends are a terminal
	std::uint32_t duration = 0;     ///< seconds; 0: for ever
	std::uint32_t until_alerts = 0; ///< 0: any number
};

/// The value, or the exit status when the program is to end at once (--help, a mistake: it has been
/// said on standard error).
[[nodiscard]] std::optional<Options> read_options(int argc, char **argv, int &status);

} // namespace bmd::watch
