/*
 * dmp_shim.h - what the shims of this module share
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DMP_SHIM_H
#define DMP_SHIM_H

#include "core/counters.h"
#include "core/parser/msg_parser.h"
#include "core/pvar.h"
#include "dmp_core.h"
#include "modules/sl/sl.h"
#include "modules/tm/tm_load.h"

extern bmd_api_t dmp_bmd;
extern sl_api_t dmp_sl;
extern struct tm_binds dmp_tm;
extern str dmp_sender; /* URI that responses come from */

extern stat_export_t dmp_stats[];

/* Answers a MESSAGE of the authenticated person, sends the response.  1 done (also when it was
 * refused), -1 failed: nothing was answered. */
int dmp_handle_message(struct sip_msg *msg, str *user);

/* The same MESSAGE again, after its transaction has gone: answers it with the status it was
 * answered with, 1; any other: -1. */
int dmp_answered_before(struct sip_msg *msg);

/* Reads the body for $dmp(...): 1 when it is a DMP document, -1 when not. */
int dmp_validate(struct sip_msg *msg);

/* Sends a body to where `msg` came from.  0, or -1 with a line in the log. */
int dmp_send_response(
		struct sip_msg *msg, str *user, const char *type, const struct dmp_page *page);

/* The body of the message; length 0 when it has none. */
struct bmd_text dmp_body(struct sip_msg *msg);

/* What was read of this message, to be filled; what stood there of another is gone. */
struct dmp_seen *dmp_seen_of(struct sip_msg *msg);

int dmp_pv_parse_name(pv_spec_t *spec, str *name);
int dmp_pv_get(struct sip_msg *msg, pv_param_t *param, pv_value_t *value);

#endif
