/*
 * bmd_random.h - requests that nobody else can answer
 * SPDX-License-Identifier: GPL-2.0-or-later
 * tm puts one number of rand() into the branch of each request of our own, compares nothing else of
 * a reply, and whoever was sent some dozens of them can tell the numbers that follow: and so answer
 * in the place of another terminal, 481 for instance, which ends its subscription.
 */
#ifndef BMD_RANDOM_H
#define BMD_RANDOM_H

#include "core/rand/kam_rand.h"

#include <stdlib.h>
#include <sys/random.h>

/* Before each request of our own: the next number is one that nobody can tell.  Some at a time: the
 * kernel is slower than the rest. */
static inline void bmd_unpredictable(void)
{
	static unsigned int seeds[32]; /* of this process: nothing is sent before the fork */
	static size_t left;

	if(left == 0 && getrandom(seeds, sizeof seeds, 0) == (ssize_t)sizeof seeds)
		left = sizeof seeds / sizeof *seeds;
	if(left > 0)
		kam_srand(seeds[--left]);
}

#endif
