/*
 * pbmd.h - what the files of presence_bmd share
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PBMD_H
#define PBMD_H

#include "../bmd/bmd_api.h"
#include "core/parser/msg_parser.h"
#include "modules/presence/bind_presence.h"
#include "modules/sl/sl.h"
#include "modules/tm/tm_load.h"

#define PBMD_EVENT "bmd-alert"
#define PBMD_TYPE "application/dmp"

extern bmd_api_t pbmd_bmd;
extern presence_api_t pbmd_presence;
extern sl_api_t pbmd_sl;
extern struct tm_binds pbmd_tm;
extern str pbmd_event_name;

/* The event package as presence wants it. */
pres_ev_t pbmd_event(int default_expires);

extern int pbmd_default_expires;

/* Sends `body` within the dialog whose resource is `uri`; the caller holds the dialog's lock. */
void pbmd_send_document(const char *uri, const char *body, size_t length);

/* Alerts that did not fit into the full document last built by this process. */
int pbmd_last_more(void);

/* Answers a SUBSCRIBE of the authenticated person: 1 done (also when it was refused), -1 failed. */
int pbmd_handle_subscribe(struct sip_msg *msg, str *user);

/* Makes sure that NOTIFYs to the Contact can be sent without a name to be looked up.  -1: no. */
int pbmd_settle_contact(struct sip_msg *msg);

/* From mod_init: follows the NOTIFYs to subscriptions of ours.  -1 failed. */
int pbmd_watch_notifies(void);

static inline struct bmd_text pbmd_text(const str *s)
{
	struct bmd_text text = {s->s, (size_t)s->len};

	return text;
}

#endif
