/// @file driver_pb840.cpp  Fuzz target: bytes of Puritan Bennett 840, SNDF replies.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "driver_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	return fuzz::driver("pb840", data, size);
}
