/*
 * bmd_host.h - what the C++ of this module asks of Kamailio, and nothing else
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Plain C without Kamailio types: .cpp files include it, bmd_host.c implements it.
 */
#ifndef BMD_HOST_H
#define BMD_HOST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bmd_log_level
{
	BMD_LOG_ERROR,
	BMD_LOG_WARNING,
	BMD_LOG_NOTICE,
	BMD_LOG_DEBUG
};

/* Shared memory, its content undefined; NULL when there is none left. */
void *bmd_host_shm_alloc(size_t size);
void bmd_host_shm_free(void *memory);
/* Bytes of Kamailio's shared memory that nobody has taken. */
size_t bmd_host_shm_left(void);

/* Logs one line.  `text` holds ids only, never a patient's name, a value or SQL. */
void bmd_host_log(enum bmd_log_level level, const char *text);

#ifdef __cplusplus
}
#endif

#endif
