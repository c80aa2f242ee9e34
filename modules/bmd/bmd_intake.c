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
#include "core/tcp_conn.h"
#include "core/timer_ticks.h"

#include <strings.h>

static int is_transfer_encoding(const str *name)
{
	static const char wanted[] = "Transfer-Encoding";

	return name->len == sizeof wanted - 1 && strncasecmp(name->s, wanted, sizeof wanted - 1) == 0;
}

/* 1 when the headers of the HTTP request can be read and say once, or not at all, how long the body
 * is; -1 when not, -2 when it came in chunks, which Kamailio has put together already. */
int bmd_script_check_headers(struct sip_msg *msg, char *unused1, char *unused2)
{
	const struct hdr_field *header;
	int lengths = 0;
	char *body;

	(void)unused1;
	(void)unused2;
	if(bmd_quiet_headers(msg) < 0)
		return -1;
	for(header = msg->headers; header != NULL; header = header->next) {
		if(is_transfer_encoding(&header->name))
			return -2;
		lengths += header->type == HDR_CONTENTLENGTH_T;
	}
	if(lengths == 0)
		return 1;
	/* of a number that is too large for it, Kamailio waits for another */
	body = get_body(msg);
	if(lengths > 1 || body == NULL)
		return -1;
	return get_content_length(msg) == msg->buf + msg->len - body ? 1 : -1;
}

/* Is this a connection that is kept for longer than strangers' are? */
int bmd_script_kept_connection(struct sip_msg *msg, char *unused1, char *unused2)
{
	struct tcp_connection *connection;
	int kept;

	(void)unused1;
	(void)unused2;
	connection = tcpconn_get(msg->rcv.proto_reserved1, NULL, 0, 0, 0);
	if(connection == NULL)
		return -1;
	kept = !bmd_is_short_lived(connection);
	tcpconn_put(connection);
	return kept ? 1 : -1;
}

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
