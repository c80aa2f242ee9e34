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
/* "Contact: ...", with CRLF.  -1: it does not fit. */
int call_contact(char *header, size_t size);

/* Within the call; only when it has a dialog that no other process uses.  0, or -1 with a line in
 * the log. */
int call_hang_up(dlg_t *dialog);
int call_transfer(struct call *call);
/* tm's callback for the INVITE of a call. */
void call_completed(struct cell *transaction, int type, struct tmcb_params *params);

#endif
