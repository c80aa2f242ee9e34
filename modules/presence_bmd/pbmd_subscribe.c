/*
 * pbmd_subscribe.c - what a SUBSCRIBE to "bmd-alert" must pass before presence sees it
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The sender is authenticated already.  Refuses with 400, 403, 406; 423, 481 and 489 are
 * presence's.
 */
#include "bmd_kamailio.h"
#include "bmd_random.h"
#include "core/data_lump_rpl.h"
#include "core/dset.h"
#include "core/parser/hf.h"
#include "core/parser/parse_content.h"
#include "core/parser/parse_event.h"
#include "core/parser/parse_expires.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_to.h"
#include "core/parser/parse_uri.h"
#include "pbmd.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int refuse(struct sip_msg *msg, int code, char *reason, char *header)
{
	str text = {reason, (int)strlen(reason)};

	if(header != NULL && add_lump_rpl(msg, header, (int)strlen(header), LUMP_RPL_HDR) == NULL) {
		LM_ERR("cannot add a header to the reply\n");
		return -1;
	}
	return pbmd_sl.freply(msg, code, &text) < 0 ? -1 : 1;
}

/* Is there a parameter q of value 0 ("q=0", "q=0.000")? */
static int refused_by_q(const char *s, size_t length)
{
	size_t i;

	for(i = 0; i + 2 < length; i++) {
		if((s[i] != ';' && s[i] != ' ') || (s[i + 1] != 'q' && s[i + 1] != 'Q') || s[i + 2] != '=')
			continue;
		for(i += 3; i < length && (s[i] == '0' || s[i] == '.'); i++)
			;
		return i >= length || s[i] < '1' || s[i] > '9';
	}
	return 0;
}

/* Does one entry of an Accept header ("application/dmp;q=0.5") take this type? */
static int entry_accepts(const char *s, size_t length, const char *type)
{
	const char *const taken[] = {type, "application/*", "*/*"};
	size_t i;

	while(length > 0 && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n')) {
		s++;
		length--;
	}
	for(i = 0; i < length && s[i] != ';' && s[i] != ' ' && s[i] != '\t' && s[i] != '\r'; i++)
		;
	if(refused_by_q(s + i, length - i))
		return 0;
	length = i;
	for(i = 0; i < sizeof taken / sizeof taken[0]; i++)
		if(strlen(taken[i]) == length && strncasecmp(taken[i], s, length) == 0)
			return 1;
	return 0;
}

/* No Accept header means the default body type of the package, which is this one. */
static int accepts(struct sip_msg *msg, const char *type)
{
	struct hdr_field *header;
	int seen = 0;

	for(header = msg->headers; header != NULL; header = header->next) {
		const char *s = header->body.s;
		size_t left = (size_t)header->body.len;

		if(header->type != HDR_ACCEPT_T)
			continue;
		seen = 1;
		while(left > 0) {
			const char *comma = memchr(s, ',', left);
			size_t length = comma == NULL ? left : (size_t)(comma - s);

			if(entry_accepts(s, length, type))
				return 1;
			left -= comma == NULL ? left : length + 1;
			s += length + 1;
		}
	}
	return !seen;
}

static int same(const str *a, const str *b)
{
	return a->len == b->len && memcmp(a->s, b->s, (size_t)a->len) == 0;
}

static int same_letters(const str *a, const str *b)
{
	return a->len == b->len && strncasecmp(a->s, b->s, (size_t)a->len) == 0;
}

enum event_kind
{
	EVENT_OTHER_PACKAGE,
	EVENT_OURS,
	EVENT_WINFO,
	EVENT_MISSPELT
};

/* Event types are case-sensitive (RFC 6665, 8.2.1), but presence does not tell ours in another case
 * from ours: that one must not reach it. */
static enum event_kind event_of(struct sip_msg *msg)
{
	event_t *event;

	if(msg->event == NULL || (msg->event->parsed == NULL && parse_event(msg->event) < 0))
		return EVENT_OTHER_PACKAGE;
	event = msg->event->parsed;
	if(same(&event->name, &pbmd_event_name))
		return EVENT_OURS;
	if(same(&event->name, &pbmd_winfo_name))
		return EVENT_WINFO;
	return same_letters(&event->name, &pbmd_event_name)
						   || same_letters(&event->name, &pbmd_winfo_name)
				   ? EVENT_MISSPELT
				   : EVENT_OTHER_PACKAGE;
}

/* Of no length when there is none. */
static struct bmd_text body_of(struct sip_msg *msg)
{
	struct bmd_text body = {get_body(msg), 0};

	if(body.s == NULL)
		return body;
	body.len = (size_t)(msg->buf + msg->len - body.s);
	if(msg->content_length != NULL && (size_t)get_content_length(msg) < body.len)
		body.len = (size_t)get_content_length(msg);
	return body;
}

static int has_our_type(struct sip_msg *msg)
{
	return msg->content_type != NULL
		   && entry_accepts(
				   msg->content_type->body.s, (size_t)msg->content_type->body.len, PBMD_TYPE);
}

/* What is wrong stands in a Warning (RFC 3261, 20.43; 399: any other). */
static int refuse_filter(struct sip_msg *msg, int status, const struct bmd_filter *filter)
{
	struct bmd_text domain = pbmd_bmd.domain();
	char header[512];
	int length = snprintf(header, sizeof header, "Warning: 399 %.*s \"%s\"\r\n%s", (int)domain.len,
			domain.s, filter->reason, status == 503 ? "Retry-After: 60\r\n" : "");

	if(length >= (int)sizeof header)
		header[0] = '\0';
	LM_INFO("the body of a SUBSCRIBE is refused with %d\n", status); /* what it says is theirs */
	return refuse(msg, status, status == 503 ? "No Room For A Filter" : "Filter Not Understood",
			header[0] == '\0' ? NULL : header);
}

/* The user part of the feed: of To, which in a dialog is all that tells, and equal to that of the
 * request URI outside one.  0 when the request contradicts itself. */
static int feed_of(struct sip_msg *msg, str *feed)
{
	struct to_body *to = get_to(msg);
	struct sip_uri uri;

	if(to == NULL || parse_uri(to->uri.s, to->uri.len, &uri) < 0 || uri.user.len == 0)
		return 0;
	*feed = uri.user;
	if(to->tag_value.len > 0)
		return 1;
	return parse_sip_msg_uri(msg) >= 0 && same(&msg->parsed_uri.user, feed);
}

/* As presence reads and bounds it. */
static long wanted_expires(struct sip_msg *msg)
{
	long wanted = pbmd_default_expires;

	if(msg->expires != NULL && msg->expires->body.len > 0
			&& (msg->expires->parsed != NULL || parse_expires(msg->expires) >= 0))
		wanted = (long)((exp_body_t *)msg->expires->parsed)->val;
	return wanted > *pbmd_max_expires ? *pbmd_max_expires : wanted;
}

/* The last status that was sent for the request; 0 when there is no transaction. */
static int answered_with(void)
{
	struct cell *transaction = pbmd_tm.t_gett();

	return transaction == NULL || transaction == T_UNDEFINED ? 0 : transaction->uas.status;
}

static int hand_to_presence(struct sip_msg *msg, str *user)
{
	struct to_body *from = get_from(msg);
	struct sip_uri uri;

	if(parse_uri(from->uri.s, from->uri.len, &uri) < 0)
		return refuse(msg, 400, "From Is Not A SIP URI", NULL);
	/* negative: refused or failed, and answered either way */
	return pbmd_presence.handle_subscribe(msg, *user, uri.host);
}

/* Presence takes the resource of a new dialog from the request URI. */
static int set_resource(struct sip_msg *msg, const char *resource)
{
	struct bmd_text domain = pbmd_bmd.domain();
	char uri[256];
	str text = {uri, 0};

	text.len = snprintf(uri, sizeof uri, "sip:%s@%.*s", resource, (int)domain.len, domain.s);
	if(text.len >= (int)sizeof uri)
		return -1;
	return rewrite_uri(msg, &text);
}

/* In a dialog presence looks at To first and, when that is not the resource, through its whole
 * table.  pbmd_delivery.c sets From of the NOTIFY right that comes of it. */
static int hand_in_dialog(struct sip_msg *msg, str *user, char *resource)
{
	struct bmd_text domain = pbmd_bmd.domain();
	struct sip_uri *to = &get_to(msg)->parsed_uri;
	struct sip_uri asked = *to;
	int result;

	to->user.s = resource;
	to->user.len = (int)strlen(resource);
	to->host.s = (char *)domain.s;
	to->host.len = (int)domain.len;
	result = hand_to_presence(msg, user);
	*to = asked;
	return result;
}

/* From here on the dialog is known.  It is locked, so that what its notifier sends comes before or
 * after. */
static void subscribe_in(struct sip_msg *msg, str *user, const struct bmd_subscribe *asked,
		struct bmd_dialog *dialog, struct bmd_filter *filter)
{
	int ends = asked->in_dialog && asked->expires == 0;
	int result, status;

	pbmd_bmd.dialog_lock(dialog);
	if(pbmd_bmd.begin_sending(asked, dialog) < 0) {
		pbmd_bmd.dialog_unlock(dialog);
		pbmd_bmd.drop_filter(filter);
		(void)refuse(msg, 481, "Subscription Does Not Exist", NULL);
		return;
	}
	pbmd_bmd.use_filter(dialog, filter);
	pbmd_forget_document();
	bmd_unpredictable();
	result = asked->in_dialog ? hand_in_dialog(msg, user, dialog->resource)
							  : hand_to_presence(msg, user);
	status = answered_with();
	pbmd_bmd.settle(asked, dialog, status);
	pbmd_bmd.settle_filter(dialog, filter, status);
	if(result < 0 && status < 300)
		pbmd_bmd.sending_failed(); /* 200 was sent, the NOTIFY could not be */
	pbmd_bmd.end_sending();
	pbmd_bmd.dialog_unlock(dialog);
	if(status < 300 && pbmd_more_to_tell() && !ends)
		pbmd_bmd.refresh_dialog(dialog); /* follows from the dialog's notifier */
}

static int refuse_admission(struct sip_msg *msg, const struct bmd_subscribe *asked, int status)
{
	switch(status) {
		case 403:
			return refuse(
					msg, 403, asked->in_dialog ? "Not Your Subscription" : "Not Your Feed", NULL);
		case 429:
			return refuse(msg, 403, "Too Many Subscriptions", NULL);
		case 481:
			return refuse(msg, 481, "Subscription Does Not Exist", NULL);
		case 507:
			return refuse(msg, 503, "No Memory For New Subscriptions", "Retry-After: 60\r\n");
		case 482: /* RFC 3261, 8.2.2.2: the same request on its way twice, or its identifiers used
					 again */
			return refuse(msg, 482, "Merged Request", NULL);
		default:
			LM_ERR("no room for one more subscription: raise bmd's parameter \"subscriptions\"\n");
			return refuse(msg, 503, "Too Many Subscriptions", "Retry-After: 60\r\n");
	}
}

static int subscribe_to(struct sip_msg *msg, str *user, struct bmd_text feed, int winfo)
{
	struct bmd_dialog dialog;
	struct bmd_filter filter;
	struct bmd_subscribe asked = {.feed = feed,
			.user = pbmd_text(user),
			.in_dialog = get_to(msg)->tag_value.len > 0,
			.expires = wanted_expires(msg),
			.winfo = winfo};
	int status;

	if(msg->callid == NULL)
		return refuse(msg, 400, "No Call-ID", NULL);
	if(pbmd_settle_contact(msg) < 0)
		return refuse(msg, 400, "Contact Cannot Be Reached From Here", NULL);
	if(pbmd_check_route(msg) < 0)
		return refuse(msg, 400, "Record-Route Is No Address", NULL);
	asked.call_id = pbmd_text(&msg->callid->body);
	asked.tag = pbmd_text(&get_from(msg)->tag_value);
	/* watcher information has no filters: what a body asks for there is not looked at */
	status = pbmd_bmd.read_filter(
			&asked, winfo ? (struct bmd_text){NULL, 0} : body_of(msg), &filter);
	if(status != 200)
		return refuse_filter(msg, status, &filter);
	status = pbmd_bmd.admit(&asked, &dialog);
	if(status != 200) {
		pbmd_bmd.drop_filter(&filter);
		return refuse_admission(msg, &asked, status);
	}
	if(!asked.in_dialog && set_resource(msg, dialog.resource) < 0) {
		pbmd_bmd.settle(&asked, &dialog, 500);
		pbmd_bmd.drop_filter(&filter);
		return refuse(msg, 500, "Unusable Request URI", NULL);
	}
	subscribe_in(msg, user, &asked, &dialog, &filter);
	return 1;
}

int pbmd_handle_subscribe(struct sip_msg *msg, str *user)
{
	struct bmd_text feed;
	str name = {NULL, 0};
	enum event_kind event;

	if(parse_headers(msg, HDR_EOH_F, 0) < 0 || parse_from_header(msg) < 0 || msg->to == NULL)
		return refuse(msg, 400, "Unreadable Headers", NULL);
	event = event_of(msg);
	if(event == EVENT_OTHER_PACKAGE) {
		(void)hand_to_presence(msg, user);
		return 1;
	}
	if(event == EVENT_MISSPELT)
		return refuse(msg, 489, "Bad Event", PBMD_ALLOW_EVENTS);
	if(event == EVENT_WINFO && !accepts(msg, PBMD_WINFO_TYPE))
		return refuse(msg, 406, "Not Acceptable", "Accept: " PBMD_WINFO_TYPE "\r\n");
	if(event == EVENT_OURS && !accepts(msg, PBMD_TYPE))
		return refuse(msg, 406, "Not Acceptable", "Accept: " PBMD_TYPE "\r\n");
	if(!feed_of(msg, &name))
		return refuse(msg, 400, "To Is Not The Request URI", NULL);
	feed = pbmd_text(&name);
	if(event == EVENT_WINFO)
		return subscribe_to(msg, user, feed, 1);
	if(body_of(msg).len > 0 && !has_our_type(msg))
		return refuse(msg, 415, "Unsupported Media Type", "Accept: " PBMD_TYPE "\r\n");
	return subscribe_to(msg, user, feed, 0);
}
