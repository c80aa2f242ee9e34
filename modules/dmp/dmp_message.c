/*
 * dmp_message.c - a MESSAGE to the server: its answer, and the MESSAGE that goes back
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The sender is authenticated already.  RFC 3428 allows no body in a 2xx to a MESSAGE, so what
 * there is to say goes back in a MESSAGE of its own, to the address that the request came from.
 */
#include "bmd_kamailio.h"
#include "core/data_lump_rpl.h"
#include "core/dprint.h"
#include "core/ip_addr.h"
#include "core/mem/mem.h"
#include "core/parser/hf.h"
#include "core/parser/parse_content.h"
#include "core/parser/parse_cseq.h"
#include "core/parser/parse_from.h"
#include "dmp_shim.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum body_kind
{
	BODY_OTHER,
	BODY_DMP,
	BODY_TEXT
};

static struct bmd_text text_of(const str *s)
{
	struct bmd_text text = {s->s, s->s == NULL ? 0 : (size_t)s->len};

	return text;
}

static enum body_kind kind_of(struct sip_msg *msg)
{
	static const struct
	{
		const char *name;
		enum body_kind kind;
	} kinds[] = {{"application/dmp", BODY_DMP}, {"text/plain", BODY_TEXT}};
	const char *s;
	int length = 0;
	size_t i;

	if(msg->content_type == NULL)
		return BODY_TEXT; /* as a text without type is read by most phones */
	s = msg->content_type->body.s;
	while(length < msg->content_type->body.len && strchr("; \t\r\n", s[length]) == NULL)
		length++;
	for(i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if(strlen(kinds[i].name) == (size_t)length
				&& strncasecmp(kinds[i].name, s, (size_t)length) == 0)
			return kinds[i].kind;
	return BODY_OTHER;
}

struct bmd_text dmp_body(struct sip_msg *msg)
{
	struct bmd_text body = {get_body(msg), 0};

	if(body.s == NULL)
		return body;
	body.len = (size_t)(msg->buf + msg->len - body.s);
	if(msg->content_length != NULL && get_content_length(msg) >= 0
			&& (size_t)get_content_length(msg) < body.len)
		body.len = (size_t)get_content_length(msg);
	return body;
}

static char *phrase_of(int status)
{
	switch(status) {
		case 200:
			return "OK";
		case 400:
			return "Bad Request";
		case 413:
			return "Request Entity Too Large";
		case 415:
			return "Unsupported Media Type";
		case 503:
			return "Service Unavailable";
		default:
			return "Server Internal Error";
	}
}

/* What is wrong stands in a Warning (RFC 3261, 20.43; 399: any other). */
static int add_warning(struct sip_msg *msg, const char *text)
{
	struct bmd_text domain = dmp_bmd.domain();
	char header[512];
	int length = snprintf(
			header, sizeof header, "Warning: 399 %.*s \"%s\"\r\n", (int)domain.len, domain.s, text);

	if(length >= (int)sizeof header)
		return 0;
	return add_lump_rpl(msg, header, length, LUMP_RPL_HDR) == NULL ? -1 : 0;
}

static int add_retry_after(struct sip_msg *msg, unsigned seconds)
{
	char header[32];
	int length = snprintf(header, sizeof header, "Retry-After: %u\r\n", seconds);

	return add_lump_rpl(msg, header, length, LUMP_RPL_HDR) == NULL ? -1 : 0;
}

static int answer(struct sip_msg *msg, int status, const char *warning, unsigned retry_after)
{
	static char accept[] = "Accept: application/dmp, text/plain\r\n";
	char *phrase = phrase_of(status);
	str text = {phrase, (int)strlen(phrase)};

	if((status == 415 && add_lump_rpl(msg, accept, (int)strlen(accept), LUMP_RPL_HDR) == NULL)
			|| (*warning != '\0' && add_warning(msg, warning) < 0)
			|| (retry_after != 0 && add_retry_after(msg, retry_after) < 0)) {
		LM_ERR("cannot add a header to the reply\n");
		return -1;
	}
	return dmp_sl.freply(msg, status, &text) < 0 ? -1 : 1;
}

static void *allocate(size_t size)
{
	return pkg_malloc(size);
}

static void refuse(struct sip_msg *msg, struct dmp_outcome *outcome, int status, const char *why)
{
	(void)msg;
	outcome->status = status;
	snprintf(outcome->warning, sizeof outcome->warning, "%s", why);
}

static void take(struct sip_msg *msg, str *user, struct dmp_outcome *outcome)
{
	struct bmd_text who = text_of(user);
	struct bmd_text body = dmp_body(msg);
	struct dmp_seen *seen = dmp_seen_of(msg);
	enum body_kind kind = kind_of(msg);

	if(body.len == 0)
		refuse(msg, outcome, 400, "the MESSAGE has no body");
	else if(kind == BODY_OTHER)
		refuse(msg, outcome, 415, "");
	else if(kind == BODY_DMP)
		dmp_core_take_document(who, body, msg->rcv.proto == PROTO_UDP, allocate, outcome, seen);
	else
		dmp_core_take_text(who, body, allocate, outcome, seen);
}

/* 1 when the request has all that names it. */
static int name_request(struct sip_msg *msg, struct dmp_request *name)
{
	static char source[IP_ADDR_MAX_STR_SIZE + 8];
	struct to_body *from;

	if(parse_headers(msg, HDR_EOH_F, 0) < 0 || msg->callid == NULL || msg->cseq == NULL
			|| msg->from == NULL || parse_from_header(msg) < 0 || parse_from_uri(msg) == NULL)
		return 0;
	from = get_from(msg);
	name->user = text_of(&from->parsed_uri.user);
	name->tag = text_of(&from->tag_value);
	name->call_id = text_of(&msg->callid->body);
	name->cseq = text_of(&get_cseq(msg)->number);
	name->body = dmp_body(msg);
	name->source.s = source;
	name->source.len = (size_t)snprintf(
			source, sizeof source, "%s %u", ip_addr2a(&msg->rcv.src_ip), msg->rcv.src_port);
	return 1;
}

int dmp_answered_before(struct sip_msg *msg)
{
	struct dmp_request name;
	int status = name_request(msg, &name) ? dmp_core_answered(&name) : 0;

	if(status == 0)
		return -1;
	dmp_core_count(DMP_REPEATED);
	(void)answer(msg, status, "", 0);
	return 1;
}

int dmp_handle_message(struct sip_msg *msg, str *user)
{
	struct dmp_outcome outcome;
	struct dmp_request name;
	int result, i;

	memset(&outcome, 0, sizeof outcome);
	if(parse_headers(msg, HDR_EOH_F, 0) < 0 || msg->callid == NULL) {
		result = answer(msg, 400, "the headers cannot be read", 0);
		return result;
	}
	take(msg, user, &outcome);
	if(outcome.status >= 400) {
		dmp_core_count(DMP_MALFORMED);
		LM_INFO("a MESSAGE is refused with %d %s\n", outcome.status, outcome.warning);
	}
	/* before it is answered: the answer may be lost, and the request come again at once */
	if(outcome.status < 500 && name_request(msg, &name))
		dmp_core_remember(&name, outcome.status);
	result = answer(msg, outcome.status, outcome.warning, outcome.retry_after);
	for(i = 0; i < outcome.page_count; i++) {
		if(dmp_send_response(msg, user, outcome.type, &outcome.pages[i]) < 0)
			dmp_core_count(DMP_LOST);
		pkg_free(outcome.pages[i].s);
	}
	return result;
}

int dmp_validate(struct sip_msg *msg)
{
	struct bmd_text body = {NULL, 0};
	struct dmp_seen *seen = dmp_seen_of(msg);

	if(parse_headers(msg, HDR_EOH_F, 0) >= 0)
		body = dmp_body(msg);
	return dmp_core_look(body, seen) ? 1 : -1;
}
