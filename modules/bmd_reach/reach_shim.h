/*
 * reach_shim.h - what the shims of this module share
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REACH_SHIM_H
#define REACH_SHIM_H

#include "modules/tm/tm_load.h"
#include "modules/usrloc/usrloc.h"
#include "reach_core.h"

extern bmd_api_t reach_bmd;
extern struct tm_binds reach_tm;
extern usrloc_api_t reach_usrloc;
extern str reach_sender; /* URI that messages and calls come from */

/* bmd learns of every terminal that registers.  0, or -1 with a line in the log. */
int reach_watch_registrations(void);

/* Is what is sent to this URI sent without looking a name up? */
int reach_is_address(str *uri);

/* The script's reach_contacts_here(), of a REGISTER: 1 when every Contact is an address that it
 * came from; -1: its only one is not; -2: one of several is not, or they cannot be read. */
struct sip_msg;
int reach_contacts_here(struct sip_msg *msg, char *unused1, char *unused2);

#endif
