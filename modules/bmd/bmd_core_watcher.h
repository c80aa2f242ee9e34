/*
 * bmd_core_watcher.h - what kamcmd asks about rules of watchers: the C++ behind it, as bmd_core.h
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BMD_CORE_WATCHER_H
#define BMD_CORE_WATCHER_H

#include "bmd_core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A rule by which changes of alerts wait before a watcher is told. */
struct bmd_watcher_rule_view
{
	int rule;        /* bmd_watcher_rule.rule_id */
	char words[320]; /* what it says */
};

/* An alert of which something is held back from one subscription. */
struct bmd_held_view
{
	char code[8];
	char serial[32];
	char metric[32];
	char priority[8];
	char state[8];
	char feed[48];
	char why[16]; /* persistence, rate or digest */
	int rule;
	char since[40];
	char until[40]; /* when it is told at the latest, unless the rate is still used up then */
};

typedef void (*bmd_each_watcher_rule)(const struct bmd_watcher_rule_view *rule, void *arg);
typedef void (*bmd_each_held)(const struct bmd_held_view *held, void *arg);

/* The rules for a technician, and what they hold back now, the next to be told first.  200, or 400,
 * 404, 500 with a reason.  Needs no database. */
int bmd_core_watcher(struct bmd_text user, bmd_each_watcher_rule rule, bmd_each_held held,
		void *arg, char *reason, size_t reason_size);

#ifdef __cplusplus
}
#endif

#endif
