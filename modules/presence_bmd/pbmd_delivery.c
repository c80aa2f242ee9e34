/*
 * pbmd_delivery.c - what becomes of a NOTIFY
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The event route of presence for replies cannot be used: presence 5.6 hands it an invalid reply
 * when a NOTIFY could not be sent at all, and reading its status ends the process.  tm tells of
 * every request of this process as it is made, and of its final reply.
 */
#include "bmd_kamailio.h"
#include "pbmd.h"

#include <stdint.h>
#include <string.h>

/* The subscription that this process sends for now. */
static unsigned int current_slot = 0;
static unsigned int current_generation = 0;

void pbmd_follow(unsigned int slot, unsigned int generation)
{
	current_slot = slot;
	current_generation = generation;
}

/* In whichever process the reply came to.  Failures of our own side are 408 or 5xx, too. */
static void completed(struct cell *transaction, int type, struct tmcb_params *params)
{
	uintptr_t which = (uintptr_t)*params->param;

	(void)type;
	if(params->code >= 300) /* the header ends its own line */
		LM_INFO("a terminal answered %d to a NOTIFY, %.*s", params->code, transaction->callid.len,
				transaction->callid.s);
	pbmd_bmd.notify_answered(
			(unsigned int)(which >> 32), (unsigned int)(which & UINT32_MAX), params->code);
}

static void sending(struct cell *transaction, int type, struct tmcb_params *params)
{
	uintptr_t which = (uintptr_t)current_slot << 32 | current_generation;

	(void)type;
	(void)params;
	if(current_slot == 0 || transaction->method.len != 6
			|| memcmp(transaction->method.s, "NOTIFY", 6) != 0)
		return;
	if(pbmd_tm.register_tmcb(
			   NULL, transaction, TMCB_LOCAL_COMPLETED, completed, (void *)which, NULL)
			< 0)
		LM_ERR("cannot follow a NOTIFY\n");
}

int pbmd_watch_notifies(void)
{
	return pbmd_tm.register_tmcb(NULL, NULL, TMCB_LOCAL_REQUEST_IN, sending, NULL, NULL);
}
