/*
 * call_core.h - the C++ of calls as the shims see it: whom to call, of what, in which words
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Plain C without Kamailio types; nothing here throws.  All but call_core_init() and the SDP are
 * for the process "BMD reach" only.
 */
#ifndef CALL_CORE_H
#define CALL_CORE_H

#include "../bmd/bmd_api.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CALL_ALERTS 10 /* most that one call tells */

struct call_alert
{
	char id[37];
	unsigned int revision;
	int asked; /* a step asked for the call; else it is told beside */
};

/* A call to one person. */
struct call_invitation
{
	char person[32];
	int urgency; /* 1 low, 2 medium, 3 high: of the most urgent alert */
	int again;   /* it was called for this a moment ago, and a terminal refused the body */
	int alerts;  /* entries of `alert` in use, the most urgent first */
	struct call_alert alert[CALL_ALERTS];
	char display[160]; /* quoted-string: priority and device */
	char headers[640]; /* Subject, Priority, Alert-Info, each with CRLF */
	char text[1304];   /* UTF-8, at most 1300 bytes, lines end with LF */
};

/* Before the fork. */
void call_core_init(const bmd_api_t *api);

/* The person of the task is to be called. */
void call_core_ask(const struct bmd_task *task);
/* The next call to make now, 1, or 0: there is none.  Its person is being called from then on. */
int call_core_next(struct call_invitation *invitation);
/* What this call was asked to tell waits again: it gives way to a more urgent one, or a terminal
 * `refused` the body. */
void call_core_ask_again(const struct call_invitation *invitation, int refused);
/* Is the call still worth ringing: does an alert it tells still wait for an answer of somebody else
 * than this person? */
int call_core_goes_on(const struct call_invitation *invitation);
/* Does something more urgent wait than what this person is being called for? */
int call_core_overtaken(const char *person);
/* The call to this person is over. */
void call_core_over(const char *person);

/* Our side of a session; `address` without brackets, `session` digits. */
struct call_host
{
	const char *address;
	int ip6;
	const char *session;
};

/* Bytes written to `body`, 0 when it is too small: the body of the INVITE. */
size_t call_core_body(const struct call_host *host, const char *text, const char *boundary,
		char *body, size_t size);
/* Bytes of the answer to an offer, 0 when it cannot be answered. */
size_t call_core_answer(
		const struct call_host *host, struct bmd_text offer, char *answer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
