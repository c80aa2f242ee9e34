/*
 * reach_contacts.c - terminals of people, as usrloc knows them
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_kamailio.h"
#include "core/dprint.h"
#include "core/socket_info.h"
#include "reach_shim.h"

#include <string.h>
#include <time.h>

#define REACH_TABLE "location"

/* 0, or -1: it does not fit, and half an address is none. */
static int copy(char *to, size_t size, const str *from)
{
	size_t length = from->s == NULL || from->len < 0 ? 0 : (size_t)from->len;

	to[0] = '\0';
	if(length >= size)
		return -1;
	if(length > 0) /* memcpy() wants a source even for nothing */
		memcpy(to, from->s, length);
	to[length] = '\0';
	return 0;
}

/* FNV-1a. */
static uint64_t hash_of(const str *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	int i;

	if(text->s == NULL || text->len <= 0)
		return 0;
	for(i = 0; i < text->len; i++)
		hash = (hash ^ (unsigned char)text->s[i]) * 0x100000001b3ULL;
	return hash;
}

/* -1: it cannot be shown, or has no address. */
static int show(const ucontact_t *from, struct reach_contact *contact)
{
	memset(contact, 0, sizeof *contact);
	contact->instance = hash_of(&from->instance);
	if(copy(contact->uri, sizeof contact->uri, &from->c) < 0
			|| copy(contact->hop, sizeof contact->hop, &from->received) < 0
			|| copy(contact->path, sizeof contact->path, &from->path) < 0
			|| (from->sock != NULL
					&& copy(contact->socket, sizeof contact->socket, &from->sock->sock_str) < 0)) {
		LM_NOTICE("a terminal is passed over: its Contact or Path is too long\n");
		return -1;
	}
	return contact->uri[0] == '\0' ? -1 : 0;
}

/* The record stays locked while `each` runs. */
int reach_contacts(const char *person, reach_each_contact each, void *arg)
{
	str aor = {(char *)person, (int)strlen(person)};
	udomain_t *table;
	urecord_t *record;
	ucontact_t *c;
	time_t now = time(NULL);
	int count = 0;

	if(reach_usrloc.get_udomain(REACH_TABLE, &table) < 0)
		return 0;
	reach_usrloc.lock_udomain(table, &aor);
	if(reach_usrloc.get_urecord(table, &aor, &record) == 0) {
		for(c = record->contacts; c != NULL; c = c->next) {
			struct reach_contact contact;

			/* what it does not take, by its REGISTER, is not tried (all bits: it does not say) */
			if(!VALID_CONTACT(c, now) || (c->methods & METHOD_MESSAGE) == 0)
				continue;
			if(show(c, &contact) < 0)
				continue;
			each(&contact, arg);
			count++;
		}
		reach_usrloc.release_urecord(record);
	}
	reach_usrloc.unlock_udomain(table, &aor);
	return count;
}

/* Called with the person's record locked. */
static void registered(ucontact_t *contact, int type, void *param)
{
	struct bmd_text person = {contact->aor->s, (size_t)contact->aor->len};

	const char *domain = memchr(person.s, '@', person.len);

	(void)param;
	if(domain != NULL)
		person.len = (size_t)(domain - person.s);
	reach_registered(person, type == UL_CONTACT_INSERT);
}

int reach_watch_registrations(void)
{
	if(reach_usrloc.register_ulcb(UL_CONTACT_INSERT | UL_CONTACT_UPDATE, registered, NULL) < 0) {
		LM_ERR("usrloc does not tell of registrations\n");
		return -1;
	}
	return 0;
}
