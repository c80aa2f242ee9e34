/// @file config.hpp  The collector's configuration file.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Every setting and its range is in bmd-collector.toml(5).

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "drivers/driver.hpp"

namespace bmd {

struct ServerConfig
{
	std::string url;
	std::string collector; ///< the name the server knows this collector by
	std::string ca;        ///< file of certificates to trust; empty: the system's
	std::string cert;      ///< file of this collector's certificate; empty: none
	std::string key;
	double timeout_seconds = 10;
	bool allow_clear = false; ///< http to another machine
};

struct SpoolConfig
{
	std::string path;
	std::uint64_t size_mb = 256;
};

struct PortConfig
{
	std::string device; ///< the serial device's path
	std::string driver;
	std::string serial; ///< of the patient's device
	unsigned baud = 0;
	bool rtscts = false;
	double silence_seconds = 10; ///< without a sound frame: logged once
	DriverOptions options;
};

struct Config
{
	ServerConfig server;
	SpoolConfig spool;
	std::string log_level = "info";
	std::vector<PortConfig> ports;
};

/// Reads and checks the whole file.  `mistakes` gets one line for each: "FILE:LINE: what is wrong";
/// the configuration may be used only when there are none.
[[nodiscard]] Config load_config(const std::string &path, std::vector<std::string> &mistakes);

} // namespace bmd
