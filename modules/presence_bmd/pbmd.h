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
#define PBMD_WINFO_EVENT "bmd-alert.winfo"
#define PBMD_WINFO_TYPE "application/watcherinfo+xml"
#define PBMD_ALLOW_EVENTS "Allow-Events: " PBMD_EVENT ", " PBMD_WINFO_EVENT "\r\n"

extern bmd_api_t pbmd_bmd;
extern presence_api_t pbmd_presence;
extern sl_api_t pbmd_sl;
extern struct tm_binds pbmd_tm;
extern str pbmd_event_name;
extern str pbmd_winfo_name;

/* The event package as presence wants it. */
pres_ev_t pbmd_event(int default_expires);
/* Registers that of watcher information, after the other.  -1 failed. */
int pbmd_add_winfo(int default_expires);

/* Bodies, for both packages.  What a notifier has ready, or NULL. */
str *pbmd_ready_body(void);
void *pbmd_allocate(size_t size);
/* Gives `memory` of `length` the form presence wants; frees it when that fails. */
str *pbmd_as_body(char *memory, size_t length);
/* The same of one terminal's body, which presence gives back unless the NOTIFY cannot be sent. */
str *pbmd_lend(char *memory, size_t length);
void pbmd_take_back(char *body);
/* The number of the document that is being made, from 1. */
unsigned int pbmd_version_of(const struct subscription *subs);
void pbmd_set_state(struct subscription *subs);
/* Documents that follow the full one that was built; negative: there was no memory. */
void pbmd_note_more(int documents);

extern int pbmd_default_expires;
extern int *pbmd_max_expires; /* presence's */

/* Sends `body` within the dialog whose resource is `uri`; the caller holds the dialog's lock. */
void pbmd_send_document(const char *uri, const char *body, size_t length);

/* Of the full document that this process built since: is there more to tell than it holds, or could
 * it not be built? */
void pbmd_forget_document(void);
int pbmd_more_to_tell(void);

/* Answers a SUBSCRIBE of the authenticated person: 1 done (also when it was refused), -1 failed. */
int pbmd_handle_subscribe(struct sip_msg *msg, str *user);

/* Makes sure that NOTIFYs to the Contact can be sent without a name to be looked up.  -1: no. */
int pbmd_settle_contact(struct sip_msg *msg);
/* The same of the proxy that NOTIFYs go through, if there is one. */
int pbmd_check_route(struct sip_msg *msg);

/* Of a NOTIFY that is being made, in event_route[tm:local-request]: From says the feed; what the
 * terminal answers does not count, since it is told nothing.  -1: this is no such request. */
int pbmd_show_feed(struct sip_msg *msg);
int pbmd_withhold(struct sip_msg *msg, str *user, str *reason);

/* From mod_init: follows the NOTIFYs to subscriptions of ours.  -1 failed. */
int pbmd_watch_notifies(void);

static inline struct bmd_text pbmd_text(const str *s)
{
	struct bmd_text text = {s->s, (size_t)s->len};

	return text;
}

#endif
