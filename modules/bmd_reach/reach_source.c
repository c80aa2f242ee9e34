/*
 * reach_source.c - whether a REGISTER names its own terminal
 * SPDX-License-Identifier: GPL-2.0-or-later
 * What is registered gets texts and calls, so nobody may register somebody else's address.
 */
#include "bmd_kamailio.h"
#include "core/ip_addr.h"
#include "core/parser/contact/parse_contact.h"
#include "core/parser/parse_uri.h"
#include "core/resolve.h"
#include "reach_shim.h"

enum
{
	all_here = 1,
	one_elsewhere = -1,
	some_elsewhere = -2
};

static int is_source(const struct sip_msg *msg, str *host)
{
	struct ip_addr *address = str2ip(host);

	if(address == NULL)
		address = str2ip6(host);
	return address != NULL && ip_addr_cmp(address, (struct ip_addr *)&msg->rcv.src_ip);
}

static int is_here(const struct sip_msg *msg, const str *contact)
{
	struct sip_uri uri;

	return parse_uri(contact->s, contact->len, &uri) == 0 && is_source(msg, &uri.host)
		   && (uri.maddr_val.len == 0 || is_source(msg, &uri.maddr_val));
}

int reach_contacts_here(struct sip_msg *msg, char *unused1, char *unused2)
{
	struct hdr_field *header;
	contact_t *contact;
	int count = 0, elsewhere = 0;

	(void)unused1;
	(void)unused2;
	if(parse_headers(msg, HDR_EOH_F, 0) < 0)
		return some_elsewhere;
	for(header = msg->contact; header != NULL; header = header->next) {
		if(header->type != HDR_CONTACT_T)
			continue;
		if(parse_contact(header) < 0)
			return some_elsewhere;
		for(contact = ((contact_body_t *)header->parsed)->contacts; contact != NULL;
				contact = contact->next) {
			count++;
			elsewhere += !is_here(msg, &contact->uri);
		}
	}
	if(elsewhere == 0)
		return all_here;
	return count == 1 ? one_elsewhere : some_elsewhere;
}
