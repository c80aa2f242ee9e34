/*
 * pbmd_event.c - bodies of the event package "bmd-alert"
 * SPDX-License-Identifier: GPL-2.0-or-later
 * What stands in a body is decided in bmd; here it is handed to presence.
 *
 * Two ways lead here.  A SUBSCRIBE asks for full state.  A notifier process has a document ready
 * and lets presence send it to the watchers of a feed.  The lock of the feed is held on both ways,
 * so the version that presence keeps of a subscription is the number of its last document.
 */
#include "bmd_kamailio.h"
#include "core/mem/mem.h"
#include "pbmd.h"

#include <string.h>

static str ready = {NULL, 0}; /* of the notifier; no memory of its own */
static int last_more = 0;

static void *allocate(size_t size)
{
	return pkg_malloc(size);
}

static void free_body(char *body)
{
	pkg_free(body);
}

int pbmd_last_more(void)
{
	return last_more;
}

/* Gives `memory` of `length` the form presence wants; frees it when that fails. */
static str *as_body(char *memory, size_t length)
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
		return as_body(copy_of(&ready), (size_t)ready.len);
	memory = pbmd_bmd.full_document(pbmd_text(user), allocate, &length, &last_more);
	return as_body(memory, length);
}

struct bmd_text pbmd_user_of(const str *uri)
{
	struct bmd_text user = {uri->s, 0};
	const char *end = memchr(uri->s, '@', (size_t)uri->len);
	const char *colon = memchr(uri->s, ':', (size_t)uri->len);

	if(end == NULL || colon == NULL || colon > end)
		return user;
	user.s = colon + 1;
	user.len = (size_t)(end - user.s);
	return user;
}

/* The body of one watcher: its version; nothing when the watcher may no longer see the feed. */
static str *watcher_body(struct subscription *subs, str *body)
{
	struct bmd_text feed = pbmd_user_of(&subs->pres_uri);
	char *memory;
	size_t length;

	if(body == NULL || body->s == NULL)
		return NULL;
	length = (size_t)body->len;
	if(pbmd_bmd.may_watch(pbmd_text(&subs->watcher_user), feed))
		memory = copy_of(body);
	else
		memory = pbmd_bmd.empty_document(feed, allocate, &length);
	if(memory == NULL) {
		PKG_MEM_ERROR;
		return NULL;
	}
	/* presence counts before a NOTIFY that answers a SUBSCRIBE, and after this call otherwise */
	pbmd_bmd.set_version(memory, length, (unsigned int)subs->version + (ready.s != NULL ? 1 : 0));
	return as_body(memory, length);
}

void pbmd_send_document(const char *uri, const char *body, size_t length)
{
	str resource = {(char *)uri, (int)strlen(uri)};

	ready.s = (char *)body;
	ready.len = (int)length;
	if(pbmd_presence.pres_refresh_watchers(&resource, &pbmd_event_name, 1) < 0)
		LM_ERR("presence could not notify the watchers of %s\n", uri);
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
	event.free_body = free_body;
	event.aux_body_processing = watcher_body;
	event.aux_free_body = free_body;
	return event;
}
