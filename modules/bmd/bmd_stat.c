/*
 * bmd_stat.c - every counter of the module as a Kamailio statistic
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A statistic's function takes no argument, so there is one for each, made from the lists.
 */
#include "bmd_shim.h"

enum
{
#define COUNTER(name, text) number_##name,
#define LEVEL(name, text, value) number_##name,
#include "counters.inc"
#include "levels.inc"
#undef COUNTER
#undef LEVEL
};

#define COUNTER(name, text)                  \
	static unsigned long stat_##name(void)   \
	{                                        \
		return bmd_core_stat(number_##name); \
	}
#define LEVEL(name, text, value) COUNTER(name, text)
#include "counters.inc"
#include "levels.inc"
#undef COUNTER
#undef LEVEL

stat_export_t bmd_stats[] = {
#define COUNTER(name, text) {#name, STAT_IS_FUNC, (stat_var **)stat_##name},
#define LEVEL(name, text, value) COUNTER(name, text)
#include "counters.inc"
#include "levels.inc"
#undef COUNTER
#undef LEVEL
		{0, 0, 0}};
