/*
 * reach_core.h - the C++ of this module as its C shims see it, and what it asks of them
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Plain C without Kamailio types.  Nothing here throws or keeps a pointer it was given, but that of
 * reach_core_init().
 */
#ifndef REACH_CORE_H
#define REACH_CORE_H

#include "../bmd/bmd_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Before the fork. */
void reach_core_init(const bmd_api_t *api);

/* Of the process "BMD reach": what is to be done now; sleeps at most about 250 ms. */
void reach_round(void);

/* Records what became of a task that needs no terminal of its own: none (480), not sent (999). */
void reach_failed(const struct bmd_task *task, int code);

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
/* The terminals that are registered for a person now; how many. */
int reach_contacts(const char *person, reach_each_contact each, void *arg);

#ifdef __cplusplus
}
#endif

#endif
