/// @file unit_host.cpp  What modules/bmd asks of Kamailio, for unit tests without one.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <cstdint>
#include <cstdlib>

#include "bmd_host.h"

void *bmd_host_shm_alloc(size_t size)
{
	constexpr size_t most = size_t{256} << 20; // a test that asks for more wants to know how much
	return size > most ? nullptr : std::malloc(size);
}

void bmd_host_shm_free(void *memory)
{
	std::free(memory);
}

size_t bmd_host_shm_left(void)
{
	return SIZE_MAX;
}

void bmd_host_log(bmd_log_level, const char *) {}
