/// @file driver_nonin.cpp  Fuzz target: bytes of Nonin pulse oximeters, data format 2.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "driver_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	return fuzz::driver("nonin", data, size);
}
