/*
 * bmd_api.h - what other modules may use of bmd
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Bound with bmd_load_api() in mod_init; the functions are those of bmd_core.h.
 */
#ifndef BMD_API_H
#define BMD_API_H

#include "bmd_core.h"
#include "core/sr_module.h"

typedef struct bmd_api
{
	int notifiers; /* processes the binder has to run, each calling notifier_round */
	int (*may_watch)(struct bmd_text username, struct bmd_text feed);
	void (*feed_lock)(struct bmd_text feed);
	void (*feed_unlock)(struct bmd_text feed);
	void (*mark_watched)(struct bmd_text feed);
	void (*own_dialog)(struct bmd_text call_id, struct bmd_text tag, struct bmd_text user);
	int (*owns_dialog)(struct bmd_text call_id, struct bmd_text tag, struct bmd_text user);
	void (*queue_refresh)(struct bmd_text feed);
	void (*queue_retry)(struct bmd_text feed);
	void (*notifier_round)(int slot, bmd_send_document send);
	char *(*full_document)(
			struct bmd_text feed, void *(*allocate)(size_t), size_t *length, int *more);
	char *(*empty_document)(struct bmd_text feed, void *(*allocate)(size_t), size_t *length);
	int (*check_document)(struct bmd_text body, char *reason, size_t reason_size);
	void (*set_version)(char *body, size_t length, unsigned int version);
} bmd_api_t;

typedef int (*bind_bmd_t)(bmd_api_t *api);

/* 0, or -1 when bmd is not loaded or was loaded later. */
static inline int bmd_load_api(bmd_api_t *api)
{
	bind_bmd_t bind = (bind_bmd_t)find_export("bind_bmd", 1, 0);

	return bind == NULL ? -1 : bind(api);
}

#endif
