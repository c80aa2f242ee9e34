/*
 * dmp_send.c - sends the MESSAGE that answers a MESSAGE
 * SPDX-License-Identifier: GPL-2.0-or-later
 * To the address the request came from, over the same socket and, for TCP and TLS, the same
 * connection: it is the one terminal that asked, and the way through a NAT is open.
 */
#include "bmd_kamailio.h"
#include "bmd_random.h"
#include "core/dprint.h"
#include "core/ip_addr.h"
#include "dmp_shim.h"

#include <stdio.h>
#include <string.h>

static const char *transport_of(int proto)
{
	switch(proto) {
		case PROTO_TCP:
			return "tcp";
		case PROTO_TLS:
			return "tls";
		case PROTO_WS:
		case PROTO_WSS:
			return "ws";
		default:
			return "udp";
	}
}

/* "sip:" USER "@" where it came from; no user: none. */
static int source_uri(struct sip_msg *msg, const str *user, char *uri, size_t size)
{
	int is_ip6 = msg->rcv.src_ip.af == AF_INET6;
	int length = snprintf(uri, size, "sip:%.*s%s%s%s%s:%d;transport=%s", user->len, user->s,
			user->len > 0 ? "@" : "", is_ip6 ? "[" : "", ip_addr2a(&msg->rcv.src_ip),
			is_ip6 ? "]" : "", msg->rcv.src_port, transport_of(msg->rcv.proto));

	return length < (int)size ? length : -1;
}

static void completed(struct cell *transaction, int type, struct tmcb_params *params)
{
	(void)type;
	if(params->code < 300)
		return;
	dmp_core_count(DMP_LOST); /* the header ends its own line */
	LM_INFO("a terminal answered %d to a response, %.*s", params->code,
			BMD_TM_CALL_ID(transaction)->len, BMD_TM_CALL_ID(transaction)->s);
}

int dmp_send_response(struct sip_msg *msg, str *user, const char *type, const struct dmp_page *page)
{
	char ruri[320], hop[320], to[320], headers[512];
	struct bmd_text domain = dmp_bmd.domain();
	str method = str_init("MESSAGE"), nobody = {NULL, 0};
	str target = {ruri, 0}, next = {hop, 0}, person = {to, 0}, header = {headers, 0};
	str body = {page->s, (int)page->length};
	uac_req_t request;

	target.len = source_uri(msg, user, ruri, sizeof ruri);
	next.len = source_uri(msg, &nobody, hop, sizeof hop);
	person.len =
			snprintf(to, sizeof to, "sip:%.*s@%.*s", user->len, user->s, (int)domain.len, domain.s);
	header.len = snprintf(headers, sizeof headers, "Content-Type: %s\r\nIn-Reply-To: %.*s\r\n",
			type, msg->callid->body.len, msg->callid->body.s);
	if(target.len < 0 || next.len < 0 || person.len >= (int)sizeof to
			|| header.len >= (int)sizeof headers) {
		LM_ERR("no response: the user name or the Call-ID is too long\n");
		return -1;
	}
	set_uac_req(&request, &method, &header, &body, NULL, TMCB_LOCAL_COMPLETED, completed, NULL);
	if(msg->rcv.bind_address != NULL)
		request.ssock = (str *)&msg->rcv.bind_address->sock_str;
	bmd_unpredictable();
	if(dmp_tm.t_request(&request, &target, &person, &dmp_sender, &next) < 0) {
		LM_ERR("the response to a MESSAGE could not be sent\n");
		return -1;
	}
	return 0;
}
