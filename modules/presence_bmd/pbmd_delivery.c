/*
 * pbmd_delivery.c - what becomes of a NOTIFY
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The event route of presence for replies cannot be used: presence 5.6 hands it an invalid reply
 * when a NOTIFY could not be sent at all, and reading its status ends the process.
 */
#include "bmd_kamailio.h"
#include "core/mem/shm_mem.h"
#include "core/parser/parse_event.h"
#include "core/parser/parse_from.h"
#include "pbmd.h"

#include <string.h>
#include <strings.h>

static void free_feed(void *feed)
{
	shm_free(feed);
}

/* 404 and 481 end the subscription (presence does that); 408 and failures of our own side, which tm
 * also tells as 5xx, mean that the terminal may not know. */
static void completed(struct cell *transaction, int type, struct tmcb_params *params)
{
	const char *feed = params->param == NULL ? NULL : *params->param;
	struct bmd_text text;

	(void)transaction;
	(void)type;
	if(feed == NULL || params->code < 300 || params->code == 404 || params->code == 481)
		return;
	text.s = feed;
	text.len = strlen(feed);
	pbmd_bmd.queue_retry(text);
}

static int is_ours(struct sip_msg *msg)
{
	event_t *event;

	if(parse_headers(msg, HDR_EVENT_F, 0) < 0 || msg->event == NULL
			|| (msg->event->parsed == NULL && parse_event(msg->event) < 0))
		return 0;
	event = msg->event->parsed;
	return event->name.len == pbmd_event_name.len
		   && strncmp(event->name.s, pbmd_event_name.s, (size_t)event->name.len) == 0;
}

int pbmd_watch_notify(struct sip_msg *msg)
{
	struct cell *transaction = pbmd_tm.t_gett();
	struct bmd_text user;
	char *feed;

	if(transaction == NULL || transaction == T_UNDEFINED || !is_ours(msg)
			|| parse_from_header(msg) < 0)
		return -1;
	user = pbmd_user_of(&get_from(msg)->uri);
	if(user.len == 0)
		return -1;
	feed = shm_malloc(user.len + 1);
	if(feed == NULL) {
		SHM_MEM_ERROR;
		return -1;
	}
	memcpy(feed, user.s, user.len);
	feed[user.len] = '\0';
	if(pbmd_tm.register_tmcb(NULL, transaction, TMCB_LOCAL_COMPLETED, completed, feed, free_feed)
			< 0) {
		LM_ERR("cannot follow a NOTIFY\n");
		shm_free(feed);
		return -1;
	}
	return 1;
}
