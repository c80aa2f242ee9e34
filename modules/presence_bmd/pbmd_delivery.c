/*
 * pbmd_delivery.c - what becomes of a NOTIFY
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The event route of presence for replies cannot be used: presence 5.6 hands it an invalid reply
 * when a NOTIFY could not be sent at all, and reading its status ends the process.  tm tells of
 * every request of this process as it is made, and of its final reply.
 */
#include "bmd_kamailio.h"
#include "core/parser/hf.h"
#include "pbmd.h"

#include <string.h>

/* In whichever process the reply came to.  Failures of our own side are 408 or 5xx, too. */
static void completed(struct cell *transaction, int type, struct tmcb_params *params)
{
	(void)type;
	if(params->code >= 300) /* the header ends its own line */
		LM_INFO("a terminal answered %d to a NOTIFY, %.*s", params->code,
				BMD_TM_CALL_ID(transaction)->len, BMD_TM_CALL_ID(transaction)->s);
	pbmd_bmd.ticket_answered(*params->param, params->code);
	if(pbmd_bmd.ticket_ends(*params->param))
		params->code = 481; /* presence, which is told after us, forgets the dialog */
}

/* The feed instead of the dialog's resource, FEED~NUMBER@, in From.  The header keeps its length:
 * nothing behind it moves. */
static void show_feed(str *from)
{
	const int length = BMD_DIALOG_DIGITS + 1;
	char *end = memchr(from->s, '>', (size_t)from->len);
	char *number = memchr(from->s, '~', (size_t)from->len);

	if(number == NULL || end == NULL || end - number <= length || number[length] != '@')
		return;
	memmove(number, number + length, (size_t)(end + 1 - number - length));
	memset(end + 1 - length, ' ', (size_t)length);
}

int pbmd_show_feed(struct sip_msg *msg)
{
	/* before anybody has read it: what was parsed would still say what stood there */
	if(parse_headers(msg, HDR_FROM_F, 0) < 0 || msg->from == NULL || msg->from->parsed != NULL)
		return -1;
	show_feed(&msg->from->body);
	return 1;
}

/* The transaction that is being made when something is withheld from it. */
static struct cell *withheld = NULL;

int pbmd_withhold(struct sip_msg *msg, str *user, str *reason)
{
	(void)msg;
	withheld = pbmd_tm.t_gett();
	pbmd_bmd.withheld(pbmd_text(user), pbmd_text(reason));
	return 1;
}

/* What the terminal took was not what it was to be told.  The last NOTIFY is none of these:
 * presence gives it no body. */
static void completed_in_vain(struct cell *transaction, int type, struct tmcb_params *params)
{
	(void)transaction;
	(void)type;
	pbmd_bmd.ticket_answered(*params->param, params->code < 300 ? 493 : params->code);
}

static void sending(struct cell *transaction, int type, struct tmcb_params *params)
{
	int in_vain = transaction == withheld;
	void *ticket;

	(void)type;
	(void)params;
	withheld = NULL;
	if(transaction->method.len != 6 || memcmp(transaction->method.s, "NOTIFY", 6) != 0)
		return;
	show_feed(BMD_TM_FROM(transaction));
	ticket = pbmd_bmd.make_ticket(pbmd_text(&transaction->uac[0].uri));
	if(ticket == NULL)
		return;
	if(pbmd_tm.register_tmcb(NULL, transaction, TMCB_LOCAL_COMPLETED,
			   in_vain ? completed_in_vain : completed, ticket, pbmd_bmd.free_ticket)
			< 0) {
		LM_ERR("cannot follow a NOTIFY\n");
		pbmd_bmd.free_ticket(ticket);
	}
}

int pbmd_watch_notifies(void)
{
	return pbmd_tm.register_tmcb(NULL, NULL, TMCB_LOCAL_REQUEST_IN, sending, NULL, NULL);
}
