/*
 * pbmd_contact.c - where the NOTIFYs of a subscription go
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A notifier that waits for DNS, or for a transport that this server does not have, would keep
 * alerts from everybody else.
 */
#include "bmd_kamailio.h"
#include "core/forward.h"
#include "core/parser/contact/parse_contact.h"
#include "core/parser/parse_rr.h"
#include "core/parser/parse_to.h"
#include "core/parser/parse_uri.h"
#include "core/resolve.h"
#include "pbmd.h"

#include <stdio.h>

static int is_address(str *host)
{
	return str2ip(host) != NULL || str2ip6(host) != NULL;
}

static int transport_of(const struct sip_uri *uri)
{
	if(uri->type == SIPS_URI_T)
		return PROTO_TLS;
	return uri->proto == PROTO_NONE ? PROTO_UDP : uri->proto;
}

/* The terminal is where its request came from, as one behind a NAT.  So what was asked for by TLS
 * is told by the same connection, and never in clear; and nobody has NOTIFYs sent to somebody else,
 * or has this server connect to places of his choice. */
static int use_source(struct sip_msg *msg, contact_t *contact, const struct sip_uri *uri)
{
	static char text[320]; /* until presence has copied it */
	static char *const transports[] = {
			[PROTO_UDP] = "udp", [PROTO_TCP] = "tcp", [PROTO_TLS] = "tls"};
	int proto = msg->rcv.proto;
	int is_ip6 = msg->rcv.src_ip.af == AF_INET6;
	int is_sips = proto == PROTO_TLS && uri->type == SIPS_URI_T;
	int length;

	if(proto != PROTO_UDP && proto != PROTO_TCP && proto != PROTO_TLS)
		return -1;
	length = snprintf(text, sizeof text, "%s:%.*s%s%s%s%s:%d%s%s", is_sips ? "sips" : "sip",
			uri->user.len, uri->user.s, uri->user.len > 0 ? "@" : "", is_ip6 ? "[" : "",
			ip_addr2a(&msg->rcv.src_ip), is_ip6 ? "]" : "", msg->rcv.src_port,
			is_sips ? "" : ";transport=", is_sips ? "" : transports[proto]);
	if(length >= (int)sizeof text)
		return -1;
	contact->uri.s = text;
	contact->uri.len = length;
	return 0;
}

/* Can be sent to at once?  The Contact's host may also be a name that use_source() replaces. */
static int has_transport(const struct sip_uri *uri)
{
	switch(transport_of(uri)) {
		case PROTO_UDP:
			return 1;
		case PROTO_TCP:
			return !tcp_disable;
		case PROTO_TLS:
			return !tls_disable;
		default:
			return 0;
	}
}

static int is_source(struct sip_msg *msg, str *host)
{
	struct ip_addr *address = str2ip(host);

	if(address == NULL)
		address = str2ip6(host);
	return address != NULL && ip_addr_cmp(address, &msg->rcv.src_ip);
}

int pbmd_check_route(struct sip_msg *msg)
{
	struct sip_uri uri;
	rr_t *route;

	if(msg->record_route == NULL || get_to(msg)->tag_value.len > 0)
		return 0; /* later ones change nothing */
	if(parse_rr(msg->record_route) < 0)
		return -1;
	route = msg->record_route->parsed;
	if(route == NULL || parse_uri(route->nameaddr.uri.s, route->nameaddr.uri.len, &uri) < 0)
		return -1;
	return is_source(msg, &uri.host) && has_transport(&uri) ? 0 : -1;
}

/* A terminal may listen at another port than it sends from, and wants to be found there when its
 * connection has gone.  A proxy that stands in between has its own address in Record-Route: then
 * the Contact is what the proxy is asked for. */
static int is_where_it_came_from(struct sip_msg *msg, const struct sip_uri *contact)
{
	str host = contact->host;

	if(msg->rcv.proto == PROTO_TLS || !is_address(&host))
		return 0;
	if(msg->record_route != NULL) /* pbmd_check_route() has looked at it */
		return 1;
	return is_source(msg, &host);
}

int pbmd_settle_contact(struct sip_msg *msg)
{
	contact_body_t *body;
	struct sip_uri uri;

	if(msg->contact == NULL || parse_contact(msg->contact) < 0)
		return 0; /* presence refuses it */
	body = msg->contact->parsed;
	if(body == NULL || body->contacts == NULL)
		return 0;
	if(parse_uri(body->contacts->uri.s, body->contacts->uri.len, &uri) < 0)
		return -1;
	if(is_address(&uri.host) && !has_transport(&uri))
		return -1;
	return is_where_it_came_from(msg, &uri) ? 0 : use_source(msg, body->contacts, &uri);
}
