/*
 * pbmd_winfo.c - the event package "bmd-alert.winfo" (RFC 3857)
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Presence would build watcher information from its tables, in the SIP process, one dialog a
 * resource.  So to presence this is a package like any other, and bodies come from bmd.
 */
#include "bmd_kamailio.h"
#include "pbmd.h"

#include <string.h>

str pbmd_winfo_name = str_init(PBMD_WINFO_EVENT);

static str *winfo_body(str *user, str *domain, str **published, int n, int off_index)
{
	size_t length = 0;
	char *memory;
	str *body = pbmd_ready_body();
	int more = 0;

	(void)domain;
	(void)published;
	(void)n;
	(void)off_index;
	if(body != NULL)
		return body;
	memory = pbmd_bmd.full_winfo(pbmd_bmd.feed_of(pbmd_text(user)), pbmd_allocate, &length, &more);
	pbmd_note_more(memory == NULL ? -1 : more);
	return pbmd_as_body(memory, length);
}

/* Versions begin with 0 (RFC 3858, 3.1); presence begins with 1. */
static str *numbered_body(struct subscription *subs, str *body)
{
	size_t length = 0;
	unsigned int version;
	char *memory;

	if(body == NULL || body->s == NULL)
		return NULL;
	version = pbmd_version_of(subs);
	pbmd_set_state(subs);
	memory = pbmd_bmd.number_winfo(
			pbmd_text(body), version > 0 ? version - 1 : 0, pbmd_allocate, &length);
	return pbmd_lend(memory, length);
}

/* Without it presence would ask its tables at every SUBSCRIBE to "bmd-alert". */
static int part_from_peer(void)
{
	pres_ev_t *event = pbmd_presence.contains_event(&pbmd_winfo_name, NULL);

	if(event == NULL)
		return -1;
	event->type = PUBL_TYPE;
	if(event->wipeer != NULL)
		event->wipeer->wipeer = NULL;
	event->wipeer = NULL;
	return 0;
}

int pbmd_add_winfo(int default_expires)
{
	pres_ev_t event;

	memset(&event, 0, sizeof event);
	event.name = pbmd_winfo_name;
	event.content_type.s = PBMD_WINFO_TYPE;
	event.content_type.len = (int)strlen(PBMD_WINFO_TYPE);
	event.default_expires = (unsigned int)default_expires;
	event.agg_nbody = winfo_body;
	event.free_body = pbmd_take_back;
	event.aux_body_processing = numbered_body;
	event.aux_free_body = pbmd_take_back;
	if(pbmd_presence.add_event(&event) < 0)
		return -1;
	return part_from_peer();
}
