/*
 * call_socket.c - our side of calls: the socket they are made from, as headers and bodies name it
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_kamailio.h"
#include "call_shim.h"
#include "core/data_lump.h"
#include "core/dprint.h"

#include <stdio.h>
#include <string.h>

extern struct socket_info *udp_listen;

const struct socket_info *call_socket(void)
{
	static struct socket_info *found;
	str host;
	int port, proto;

	if(found != NULL)
		return found;
	if(reach_call_socket.len == 0) {
		found = udp_listen; /* terminals cannot answer to "any address" */
		while(found != NULL && (found->flags & SI_IS_ANY) != 0)
			found = found->next;
		return found;
	}
	if(parse_phostport(reach_call_socket.s, &host.s, &host.len, &port, &proto) < 0)
		return NULL;
	return found = grep_sock_info(&host, (unsigned short)port, (unsigned short)proto);
}

struct call_host call_host_of(const struct call *call)
{
	static char address[IP_ADDR_MAX_STR_SIZE], session[24];
	const struct socket_info *socket = call_socket();
	struct call_host host = {address, socket->address.af == AF_INET6, session};

	snprintf(address, sizeof address, "%s", ip_addr2a((struct ip_addr *)&socket->address));
	snprintf(session, sizeof session, "%llu", (unsigned long long)call->sent_at);
	return host;
}

/* "USER@HOST:PORT;transport=...", IPv6 addresses in brackets. */
static int print_place(char *to, size_t size, const struct socket_info *socket, const str *host,
		int port, const str *user)
{
	int naked = host->len > 0 && host->s[0] != '[' && memchr(host->s, ':', (size_t)host->len);
	int length = snprintf(to, size, "%.*s%s%s%.*s%s:%d;transport=%s", user->len, user->s,
			user->len > 0 ? "@" : "", naked ? "[" : "", host->len, host->s, naked ? "]" : "", port,
			get_proto_name(socket->proto));

	return length < (int)size ? length : -1;
}

int call_own_uri(char *uri, size_t size)
{
	const struct socket_info *socket = call_socket();
	str nobody = {"", 0};
	char place[128];
	int length;

	if(print_place(place, sizeof place, socket, &socket->address_str, socket->port_no, &nobody) < 0)
		return -1;
	length = snprintf(uri, size, "sip:%s", place);
	return length < (int)size ? length : -1;
}

int call_contact(const struct socket_info *socket, char *header, size_t size)
{
	int advertised = socket->useinfo.name.len > 0;
	const str *host = advertised ? &socket->useinfo.name : &socket->address_str;
	int port =
			advertised && socket->useinfo.port_no != 0 ? socket->useinfo.port_no : socket->port_no;
	struct sip_uri sender;
	char place[256];
	int length;

	if(parse_uri(reach_sender.s, reach_sender.len, &sender) < 0
			|| print_place(place, sizeof place, socket, host, port, &sender.user) < 0)
		return -1;
	length = snprintf(header, size, "Contact: <sip:%s>\r\n", place);
	return length < (int)size ? 0 : -1;
}

int call_name_socket(struct sip_msg *msg)
{
	const struct socket_info *socket = msg->force_send_socket;
	char header[320], *text;
	struct lump *place;
	size_t length;

	if(socket == NULL || socket == call_socket() || (socket->flags & SI_IS_ANY) != 0)
		return 0;
	if(msg->contact == NULL || call_contact(socket, header, sizeof header) < 0)
		return -1;
	length = strlen(header);
	text = pkg_malloc(length);
	if(text == NULL) {
		PKG_MEM_ERROR;
		return -1;
	}
	memcpy(text, header, length);
	place = del_lump(msg, (int)(msg->contact->name.s - msg->buf), msg->contact->len, HDR_CONTACT_T);
	if(place != NULL && insert_new_lump_after(place, text, (int)length, HDR_CONTACT_T) != NULL)
		return 0;
	pkg_free(text);
	return -1;
}
