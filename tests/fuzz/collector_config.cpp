/// @file collector_config.cpp  Fuzz target: the collector's configuration file.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "config.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	static const int file = memfd_create("config", MFD_CLOEXEC);
	if(file < 0 || ftruncate(file, 0) != 0
			|| pwrite(file, data, size, 0) != static_cast<ssize_t>(size))
		std::abort();
	std::vector<std::string> mistakes;
	const bmd::Config config = bmd::load_config("/proc/self/fd/" + std::to_string(file), mistakes);
	for(const auto &mistake : mistakes)
		fuzz::require(!mistake.empty(), "a mistake is told in words");
	if(!mistakes.empty())
		return 0;
	fuzz::require(!config.ports.empty() && !config.server.url.empty(),
			"a configuration without mistakes says what to read and where to send");
	for(const auto &port : config.ports)
		fuzz::require(bmd::find_driver(port.driver) != nullptr && bmd::valid_serial(port.serial),
				"a port has a driver and the serial of a device");
	return 0;
}
