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
	bool watchers = false;          ///< who watches what --aor answers for is shown, too
	std::uint32_t expires = 3600;   ///< seconds, of subscriptions and of the registration
	bool do_register = true;
	std::string local_host; ///< address to bind; found from the registrar when not given
	std::string local_port; ///< "*": any
	std::string transport = "udp";
	std::string tls_dir; ///< cafile.pem, perhaps agent.pem; for transport tls
	bool allow_md5 = false;
	std::string certificate; ///< PEM files: the person's, for what is encrypted
	std::string key;
	std::string authorities; ///< whom the server's certificate must be of; empty: nothing is signed
	std::string revoked;
	std::string filter; ///< body of SUBSCRIBEs; empty: none
	bool sign = false;  ///< what is sent
	std::string
			server_certificate; ///< PEM file: what is sent is encrypted for it; empty: it is not
	bool json = false;
	bool screen = true;             ///< whole screen and keys, where both ends are a terminal
	std::uint32_t duration = 0;     ///< seconds; 0: for ever
	std::uint32_t until_alerts = 0; ///< 0: any number
};

/// The value, or the exit status when the program is to end at once (--help, a mistake: it has been
/// said on standard error).
[[nodiscard]] std::optional<Options> read_options(int argc, char **argv, int &status);

} // namespace bmd::watch
