/*
 * call_way.c - where requests within a call go, without looking up a name
 * SPDX-License-Identifier: GPL-2.0-or-later
 * To the Contact of the terminal's answer, as RFC 3261 says; to where the INVITE found the terminal
 * when that is behind a Path or a NAT, or when the Contact has a name for an address.
 */
#include "bmd_kamailio.h"
#include "call_shim.h"
#include "core/dprint.h"
#include "core/ip_addr.h"
#include "core/mem/shm_mem.h"
#include "core/parser/parse_uri.h"
#include "core/resolve.h"

#include <stdio.h>
#include <string.h>

static int is_address(str *host)
{
	return str2ip(host) != NULL || str2ip6(host) != NULL;
}

int reach_is_address(str *uri)
{
	struct sip_uri parsed;

	return parse_uri(uri->s, uri->len, &parsed) == 0 && is_address(&parsed.host)
		   && (parsed.maddr_val.len == 0 || is_address(&parsed.maddr_val));
}

static const struct call_way *way_of(const struct call *call, const str *tag)
{
	int i;

	for(i = 0; i < CALL_WAYS; i++)
		if(strlen(call->way[i].tag) == (size_t)tag->len
				&& memcmp(call->way[i].tag, tag->s, (size_t)tag->len) == 0)
			return &call->way[i];
	return NULL;
}

/* Does the URI say by itself that its requests go there? */
static int leads_to(const str *uri, const struct dest_info *to)
{
	struct sip_uri parsed;
	struct ip_addr there, *named;
	int port, secure = to->proto == PROTO_TLS || to->proto == PROTO_WSS;

	if(parse_uri(uri->s, uri->len, &parsed) < 0)
		return 0;
	named = str2ip(&parsed.host);
	if(named == NULL)
		named = str2ip6(&parsed.host);
	if(named == NULL)
		return 0;
	su2ip_addr(&there, (union sockaddr_union *)&to->to);
	port = parsed.port_no != 0 ? parsed.port_no : secure ? 5061 : 5060;
	return ip_addr_cmp(named, &there) && port == su_getport(&to->to);
}

static const char *transport_of(int proto)
{
	return proto == PROTO_WSS ? "ws" : get_proto_name(proto);
}

void call_keep_way(struct call *call, const struct ua_client *branch, const str *tag)
{
	const struct dest_info *to = &branch->request.dst;
	struct call_way *way = &call->way[call->ways % CALL_WAYS];
	struct ip_addr address;

	if(tag->len <= 0 || tag->len >= CALL_TAG_SIZE || way_of(call, tag) != NULL)
		return;
	memcpy(way->tag, tag->s, (size_t)tag->len);
	way->tag[tag->len] = '\0';
	su2ip_addr(&address, (union sockaddr_union *)&to->to);
	snprintf(way->hop, sizeof way->hop, "sip:%s:%d;transport=%s;lr", ip_addr2strz(&address),
			su_getport(&to->to), transport_of(to->proto));
	way->socket = to->send_sock;
	way->behind = !leads_to(&branch->uri, to);
	call->ways++;
}

static int go_by(dlg_t *dialog, const struct call_way *way)
{
	int length = (int)strlen(way->hop);
	char *hop = shm_malloc((size_t)length);

	if(hop == NULL) {
		SHM_MEM_ERROR;
		return -1;
	}
	memcpy(hop, way->hop, (size_t)length);
	if(dialog->dst_uri.s != NULL)
		shm_free(dialog->dst_uri.s);
	dialog->dst_uri.s = hop;
	dialog->dst_uri.len = length;
	dialog->send_sock = (struct socket_info *)way->socket;
	/* where it goes; what stands in Route is not taken from here */
	if(dialog->route_set != NULL)
		dialog->route_set->nameaddr.uri = dialog->dst_uri;
	return 0;
}

int call_take_way(dlg_t *dialog, const struct call *call, const str *tag)
{
	const struct call_way *way = call == NULL ? NULL : way_of(call, tag);
	str *target = dialog->rem_target.len > 0 ? &dialog->rem_target : &dialog->rem_uri;
	int follows = way == NULL || !way->behind;

	if(dialog->route_set != NULL) {
		target = &dialog->route_set->nameaddr.uri;
		follows = 1;
	}
	if(follows && reach_is_address(target))
		return 0;
	return way == NULL ? -1 : go_by(dialog, way);
}
