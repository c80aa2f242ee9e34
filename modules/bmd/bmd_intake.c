/*
 * bmd_intake.c - what the script asks of requests to the intake
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The batches themselves come by RPC (bmd_rpc.c).
 */
#include "bmd_core_wire.h"
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/dprint.h"
#include "core/ip_addr.h"
#include "core/mod_fix.h"
#include "core/parser/parse_content.h"
#include "core/parser/parser_f.h"

/* 1 when the body of the HTTP request is one JSON-RPC request of bmd.report, of this collector if
 * one is given; -1 when not, -2 when it is another collector's. */
int bmd_script_check_request(struct sip_msg *msg, char *collector, char *unused)
{
	struct bmd_text body = {NULL, 0}, sender = {"", 0};
	str name = {NULL, 0};
	char reason[128];
	int result;

	(void)unused;
	bmd_quiet_over();
	if(collector != NULL) {
		if(fixup_get_svalue(msg, (gparam_t *)collector, &name) < 0 || name.len == 0)
			return -2;
		sender.s = name.s;
		sender.len = (size_t)name.len;
	}
	body.s = get_body(msg);
	if(body.s == NULL)
		return -1;
	body.len = (size_t)(msg->buf + msg->len - body.s);
	result = bmd_core_check_request(body, sender, reason, sizeof reason);
	if(result == 1)
		return 1;
	if(result == 0 && bmd_quiet_may_log())
		LM_INFO("request refused: %s\n", reason);
	return result == 0 ? -1 : -2;
}

/* Counts and logs why a collector is not let in.  The name is that of the certificate: of whoever
 * runs the home's collector, never of a patient. */
int bmd_script_refuse_collector(struct sip_msg *msg, char *why, char *unused)
{
	str reason = {NULL, 0};

	(void)unused;
	bmd_quiet_over();
	if(fixup_get_svalue(msg, (gparam_t *)why, &reason) < 0)
		return -1;
	bmd_core_count_collector_refused();
	if(bmd_quiet_may_log())
		LM_NOTICE("collector at %s refused: %.*s\n", ip_addr2a(&msg->rcv.src_ip), reason.len,
				reason.s);
	return 1;
}
