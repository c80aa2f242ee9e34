/*
 * bmd_host.c - shared memory and the log, for the C++ of this module
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_host.h"

#include "core/dprint.h"
#include "core/globals.h"
#include "core/mem/shm_mem.h"

void *bmd_host_shm_alloc(size_t size)
{
	return shm_malloc(size);
}

void bmd_host_shm_free(void *memory)
{
	shm_free(memory);
}

size_t bmd_host_shm_left(void)
{
	unsigned long left = shm_available();

	return left > shm_mem_size ? 0 : left; /* it counts what the allocator itself takes, too */
}

void bmd_host_log(enum bmd_log_level level, const char *text)
{
	switch(level) {
		case BMD_LOG_ERROR:
			LM_ERR("%s\n", text);
			break;
		case BMD_LOG_WARNING:
			LM_WARN("%s\n", text);
			break;
		case BMD_LOG_NOTICE:
			LM_NOTICE("%s\n", text);
			break;
		case BMD_LOG_DEBUG:
			LM_DBG("%s\n", text);
			break;
	}
}
