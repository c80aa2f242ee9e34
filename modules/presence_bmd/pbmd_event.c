/*
 * pbmd_event.c - bodies of the event package "bmd-alert"
 * SPDX-License-Identifier: GPL-2.0-or-later
 * What stands in a body is decided in bmd; here it is handed to presence.
 *
 * Two ways lead here.  A SUBSCRIBE asks for full state.  A notifier process has a document ready
 * and lets presence send it within a dialog.  The lock of the dialog is held on both ways,
 * so the version that presence keeps of a subscription is the number of its last document.
 */
#include "bmd_kamailio.h"
#include "bmd_random.h"
#include "core/mem/mem.h"
#include "pbmd.h"

#include <string.h>

static str ready = {NULL, 0}; /* of the notifier; no memory of its own */
static str *lent = NULL;      /* the last body that presence has not given back */
static int more = 0; /* documents that follow the last full one; negative: there was no memory */

void *pbmd_allocate(size_t size)
{
	return pkg_malloc(size);
}

void pbmd_note_more(int documents)
{
	more = documents;
}

void pbmd_forget_document(void)
{
	more = 0;
}

int pbmd_more_to_tell(void)
{
	return more != 0;
}

str *pbmd_as_body(char *memory, size_t length)
{
	str *body;

	if(memory == NULL) {
		PKG_MEM_ERROR;
		return NULL;
	}
	body = pkg_malloc(sizeof *body);
	if(body == NULL) {
		PKG_MEM_ERROR;
		pkg_free(memory);
		return NULL;
	}
	body->s = memory;
	body->len = (int)length;
	return body;
}

static char *copy_of(const str *text)
{
	char *copy = pkg_malloc((size_t)text->len + 1);

	if(copy == NULL)
		return NULL;
	memcpy(copy, text->s, (size_t)text->len);
	copy[text->len] = '\0';
	return copy;
}

str *pbmd_ready_body(void)
{
	return ready.s == NULL ? NULL : pbmd_as_body(copy_of(&ready), (size_t)ready.len);
}

/* The body of a feed before it is made a watcher's own. */
static str *feed_body(str *user, str *domain, str **published, int n, int off_index)
{
	size_t length = 0;
	char *memory;

	(void)domain;
	(void)published;
	(void)n;
	(void)off_index;
	if(ready.s != NULL)
		return pbmd_ready_body();
	memory = pbmd_bmd.full_document(
			pbmd_bmd.feed_of(pbmd_text(user)), pbmd_allocate, &length, &more);
	if(memory == NULL)
		more = -1;
	return pbmd_as_body(memory, length);
}

/* Presence writes the header after this, and nothing but this copy of the subscription is changed:
 * it is active there as long as it lasts. */
void pbmd_set_state(struct subscription *subs)
{
	static char rejected[] = "rejected", deactivated[] = "deactivated";
	const enum bmd_notify_state state = pbmd_bmd.notify_state();

	if(state == BMD_NOTIFY_ACTIVE)
		return;
	if(state == BMD_NOTIFY_PENDING) {
		subs->status = PENDING_STATUS;
		return;
	}
	subs->status = TERMINATED_STATUS;
	subs->reason.s = state == BMD_NOTIFY_REJECTED ? rejected : deactivated;
	subs->reason.len = (int)strlen(subs->reason.s);
	subs->local_cseq++; /* presence does so for the others only */
}

/* Presence counts before a NOTIFY that answers a SUBSCRIBE, and after it asks for the body
 * otherwise. */
unsigned int pbmd_version_of(const struct subscription *subs)
{
	return (unsigned int)subs->version + (ready.s != NULL ? 1 : 0);
}

str *pbmd_lend(char *memory, size_t length)
{
	lent = pbmd_as_body(memory, length);
	return lent;
}

/* The body of one terminal: its version.  Who may see what is asked where the document is made. */
static str *watcher_body(struct subscription *subs, str *body)
{
	char *memory;

	if(body == NULL || body->s == NULL)
		return NULL;
	pbmd_set_state(subs);
	memory = copy_of(body);
	if(memory != NULL)
		pbmd_bmd.set_version(memory, (size_t)body->len, pbmd_version_of(subs));
	return pbmd_lend(memory, (size_t)body->len);
}

/* Also of the feed's body, when one that was lent could not be sent. */
void pbmd_take_back(char *body)
{
	if(lent != NULL && lent->s == body)
		lent = NULL;
	pkg_free(body);
}

/* Presence leaves the body behind when a NOTIFY cannot be sent. */
static void not_sent(void)
{
	if(lent != NULL) {
		pkg_free(lent->s);
		pkg_free(lent);
		lent = NULL;
	}
	pbmd_bmd.sending_failed();
}

void pbmd_send_document(const char *uri, const char *body, size_t length)
{
	str resource = {(char *)uri, (int)strlen(uri)};
	str *event = pbmd_bmd.sending_winfo() ? &pbmd_winfo_name : &pbmd_event_name;

	ready.s = (char *)body;
	ready.len = (int)length;
	bmd_unpredictable();
	if(pbmd_presence.pres_refresh_watchers(&resource, event, 1) < 0)
		not_sent();
	ready.s = NULL;
	ready.len = 0;
}

pres_ev_t pbmd_event(int default_expires)
{
	pres_ev_t event;

	memset(&event, 0, sizeof event);
	event.name = pbmd_event_name;
	event.content_type.s = PBMD_TYPE;
	event.content_type.len = (int)strlen(PBMD_TYPE);
	event.default_expires = (unsigned int)default_expires;
	event.type = PUBL_TYPE;
	event.agg_nbody = feed_body;
	event.free_body = pbmd_take_back;
	event.aux_body_processing = watcher_body;
	event.aux_free_body = pbmd_take_back;
	return event;
}
