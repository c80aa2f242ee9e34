/*
 * bmd_api.c - hands bmd's functions to other modules
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_api.h"
#include "bmd_shim.h"

int bind_bmd(bmd_api_t *api)
{
	if(api == NULL)
		return -1;
	api->notifiers = bmd_core_notifiers();
	api->may_watch = bmd_core_may_watch;
	api->feed_lock = bmd_core_feed_lock;
	api->feed_unlock = bmd_core_feed_unlock;
	api->mark_watched = bmd_core_mark_watched;
	api->own_dialog = bmd_core_own_dialog;
	api->owns_dialog = bmd_core_owns_dialog;
	api->queue_refresh = bmd_core_queue_refresh;
	api->queue_retry = bmd_core_queue_retry;
	api->notifier_round = bmd_core_notifier_round;
	api->full_document = bmd_core_full_document;
	api->empty_document = bmd_core_empty_document;
	api->check_document = bmd_core_check_document;
	api->set_version = bmd_core_set_version;
	return 0;
}
