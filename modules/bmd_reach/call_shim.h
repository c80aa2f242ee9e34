/*
 * call_shim.h - what the shims of calls share
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALL_SHIM_H
#define CALL_SHIM_H

#include "call_table.h"
#include "core/socket_info.h"
#include "reach_shim.h"

/* What a terminal may send within a call. */
#define CALL_METHODS "ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, UPDATE"

/* Parameters. */
extern str reach_announcement_uri; /* a call that was answered is transferred there; empty: held */
extern str reach_call_socket;      /* of ours, proto:address:port; empty: the first one of UDP */
extern int reach_call_hold;        /* s that an answered call lasts that is not transferred */
extern int reach_call_limit;       /* s that it rings at most, at all terminals together */
extern int reach_calls;            /* most at a time */

/* Functions for the routing script. */
extern cmd_export_t reach_call_cmds[];

/* Before the fork.  0, or -1 with a line in the log. */
int reach_calls_init(void);
/* Of the process "BMD reach": begins and ends calls; does not wait. */
void reach_calls_round(void);

/* The socket calls are made from. */
const struct socket_info *call_socket(void);
/* Our side of the sessions of this call. */
struct call_host call_host_of(const struct call *call);
/* URI of the socket calls are made from.  Its length, or -1: it does not fit. */
int call_own_uri(char *uri, size_t size);
/* "Contact: ..." that names this socket, with CRLF.  -1: it does not fit. */
int call_contact(const struct socket_info *socket, char *header, size_t size);
/* In a branch route: from now on Contact names the socket that the request leaves by.  -1: it does
 * not, for want of memory. */
int call_name_socket(struct sip_msg *msg);

/* Where the INVITE found the terminal that has answered with this tag.  With the table locked. */
void call_keep_way(struct call *call, const struct ua_client *branch, const str *tag);
/* Requests within the dialog go to where the terminal is.  `call` may be NULL.  0, or -1: there is
 * no address, or no memory.  With the table locked. */
int call_take_way(dlg_t *dialog, const struct call *call, const str *tag);

/* Within the call; only when it has a dialog that no other process uses.  0, or -1 with a line in
 * the log. */
int call_hang_up(dlg_t *dialog);
int call_transfer(struct call *call);
/* tm's callback for the INVITE of a call, and the events that it is for. */
#define CALL_EVENTS (TMCB_LOCAL_RESPONSE_IN | TMCB_LOCAL_COMPLETED | TMCB_DONT_ACK)
void call_completed(struct cell *transaction, int type, struct tmcb_params *params);
/* Is it a response to an INVITE, rather than to its CANCEL? */
int call_is_to_invite(struct sip_msg *reply);

#endif
