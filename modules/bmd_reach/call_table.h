/*
 * call_table.h - the calls that are being made, in shared memory
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The process "BMD reach" begins and ends calls; whichever process gets a response or a request
 * changes their state, with the table locked.
 */
#ifndef CALL_TABLE_H
#define CALL_TABLE_H

#include "call_core.h"
#include "modules/tm/dlg.h"

enum call_state
{
	CALL_FREE,
	CALL_RINGING,  /* INVITE sent */
	CALL_ANSWERED, /* taken by a terminal, nothing done about it yet */
	CALL_TALKING,  /* until `until` */
	CALL_OVER,     /* its person may be called again as soon as this was noticed */
	CALL_LEFT      /* outcomes of single terminals may still come */
};

#define CALL_KEY_SIZE 33
#define CALL_TAG_SIZE 128
#define CALL_ID_SIZE 128
#define CALL_WAYS 8

/* Where the INVITE found a terminal that has answered. */
struct call_way
{
	char tag[CALL_TAG_SIZE]; /* of its answer; empty: none */
	char hop[80];            /* as a URI with an address */
	const struct socket_info *socket;
	int behind; /* the terminal is not where its Contact says: Path, NAT, a name */
};

struct call
{
	enum call_state state;
	unsigned int number; /* of this call: what comes late for another one is not its */
	struct call_invitation told;
	char key[CALL_KEY_SIZE]; /* known to this server only until the INVITE has come in */
	char call_id[CALL_ID_SIZE];
	char tag[CALL_KEY_SIZE];
	char remote_tag[CALL_TAG_SIZE];
	int again;             /* a terminal refused the body, and is to be called without the text */
	int expired;           /* it was cancelled since nobody answered in time */
	int code;              /* final response to the INVITE */
	int admitted;          /* the INVITE has come in */
	unsigned int branches; /* bits: terminals whose outcome is recorded */
	unsigned int index;    /* of the INVITE's transaction */
	unsigned int label;
	int64_t sent_at;   /* wall clock, microseconds */
	int64_t until;     /* monotonic microseconds: the present state lasts no longer */
	int64_t cancelled; /* monotonic; 0: it was not */
	dlg_t *dialog;     /* the process "BMD reach" frees it */
	unsigned int ways; /* known so far; the newest are kept */
	struct call_way way[CALL_WAYS];
};

/* Bit of `branches`: a terminal was not called for want of an address. */
#define CALL_UNREACHED (1U << 31)

/* Before the fork.  0, or -1 with a line in the log. */
int call_table_init(int calls);
int call_table_size(void);
/* One of them: its owner may read what does not change; everything else with the table locked. */
struct call *call_at(int place);
void call_lock(void);
void call_unlock(void);

/* A value that names a call to tm's callbacks. */
void *call_handle(const struct call *call);
/* With the table locked; NULL: it is gone. */
struct call *call_of(const void *handle);
struct call *call_by_id(const str *call_id);

/* Terminals that take no text beside a session description, by URI; the newest are remembered. With
 * the table locked. */
void call_keep_plain(const str *terminal, int seconds);
int call_is_plain(const str *terminal);

int64_t call_clock(void); /* monotonic, microseconds */

/* Records what became of the call at one terminal, empty: at none in particular.  `call` may be a
 * copy. */
void call_record(const struct call *call, const str *terminal, int code);

#endif
