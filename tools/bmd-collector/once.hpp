/// @file once.hpp  Decode a recording to text, without any server.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>

namespace bmd {

struct OnceOptions
{
	std::string file;   ///< "-" is standard input
	std::string driver; ///< name of a driver
	bool extended = false;
	bool json = false; ///< one JSON object a line instead of tab-separated text
};

/// Prints every reading, every damaged frame and the final counts to standard output.
/// Returns the exit status: 0, or 1 when the file or the driver is not there.
[[nodiscard]] int run_once(const OnceOptions &options);

} // namespace bmd
