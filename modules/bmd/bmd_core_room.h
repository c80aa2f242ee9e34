/*
 * bmd_core_room.h - which connections make room for others; the C++ behind it, as bmd_core.h
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BMD_CORE_ROOM_H
#define BMD_CORE_ROOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A connection that came in, and on which nobody has been known yet. */
struct bmd_stranger
{
	uint64_t source; /* an IPv4 address, or the /64 of an IPv6 one */
	int connection;  /* its number, which grows with each new one */
};

/* Puts those first that are to go so that `excess` fewer are left: of the sources that have the
 * most, down to the same number of each, the oldest first, and never the last one of a source.
 * Returns how many; takes no memory. */
size_t bmd_core_make_room(struct bmd_stranger *strangers, size_t count, size_t excess);

#ifdef __cplusplus
}
#endif

#endif
