/*
 * reach_core.h - the C++ of this module as its C shims see it, and what it asks of them
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Plain C without Kamailio types.  Nothing here throws or keeps a pointer it was given, but those
 * of reach_core_init().
 */
#ifndef REACH_CORE_H
#define REACH_CORE_H

#include "../bmd/bmd_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of shared memory, all zero, that reach_core_init() wants. */
size_t reach_core_memory(void);
/* Before the fork. */
void reach_core_init(const bmd_api_t *api, void *memory);

/* Of the process "BMD reach": what is to be done now; sleeps at most about 100 ms. */
void reach_round(void);

/* A person registered; `fresh`: a terminal that was not there before.  With the person's record
 * locked, so this only takes note. */
void reach_registered(struct bmd_text person, int fresh);

/* What became of an attempt; from any process. */
void reach_attempted(const struct bmd_attempt *attempt);

/* Records what became of a task that has no terminal: none is registered (480), not sent (999). */
void reach_failed(const struct bmd_task *task, int code);

/* The text of an alert as a MESSAGE has it, of at most 1300 bytes, and one line of it; both UTF-8
 * without control characters but line feeds, cut at a whole character.  1 when there is such an
 * alert that is not closed. */
int reach_alert_text(const char *alert, char *text, size_t text_size, char *line, size_t line_size);

/* What the C++ asks of the shims. */

/* A terminal of a person. */
struct reach_contact
{
	char uri[256];     /* its Contact */
	char hop[256];     /* where it is sent instead, of a terminal behind a NAT; empty: to `uri` */
	char path[512];    /* Path of its registration; empty: none */
	char socket[128];  /* of ours that it registered at, as proto:address:port; empty: any */
	uint64_t instance; /* hash of its instance id; 0: it has none */
};

typedef void (*reach_each_contact)(const struct reach_contact *contact, void *arg);
/* The terminals that are registered for a person now; how many.  `each` runs with the person's
 * record locked. */
int reach_contacts(const char *person, reach_each_contact each, void *arg);

/* Sends a text; its outcome comes to reach_attempted(), with the code set.  -1: it could not be
 * sent, nothing comes. */
int reach_send_message(const struct reach_contact *contact, const char *priority, const char *text,
		size_t length, const struct bmd_attempt *attempt);

/* Logs one line at level ERROR: ids only. */
void reach_log_error(const char *text);

#ifdef __cplusplus
}
#endif

#endif
