/*
 * bmd_core_filter.h - filters of subscriptions: the C++ behind them, as bmd_core.h
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BMD_CORE_FILTER_H
#define BMD_CORE_FILTER_H

#include "bmd_core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the body of a SUBSCRIBE asks for. */
struct bmd_filter
{
	int given;           /* there was a body */
	unsigned int number; /* of the filter, with a reference; 0: everything is told */
	char reason[256];    /* why it is refused: printable ASCII without quotes and backslashes */
};

/* Reads the body, which may be empty: 200, 400 (it is no filter, as `reason` says), 503 (no room).
 * With 200 the caller owes bmd_core_settle_filter() or bmd_core_drop_filter(). */
int bmd_core_read_filter(
		const struct bmd_subscribe *subscribe, struct bmd_text body, struct bmd_filter *filter);
/* It is not used after all. */
void bmd_core_drop_filter(struct bmd_filter *filter);

/* Both within the dialog's lock, around what presence does: the filter is in force, also of a
 * document that is fetched; then what became of the SUBSCRIBE, after bmd_core_settle().  One that
 * was refused leaves the filter of before in force. */
void bmd_core_use_filter(const struct bmd_dialog *dialog, struct bmd_filter *filter);
void bmd_core_settle_filter(const struct bmd_dialog *dialog, struct bmd_filter *filter, int status);

/* A subscription with a filter. */
struct bmd_filter_view
{
	char feed[48];
	char filter[4008]; /* the DMP document in force, without its first line */
};
typedef void (*bmd_each_filter)(const struct bmd_filter_view *filter, void *arg);
/* Those of a technician.  Needs no database. */
void bmd_core_filters(struct bmd_text user, bmd_each_filter each, void *arg);

#ifdef __cplusplus
}
#endif

#endif
