/*
 * smime_message.c - a request as smime_core.h wants it, and what becomes of it
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_kamailio.h"
#include "core/dprint.h"
#include "core/parser/hf.h"
#include "core/parser/parse_content.h"
#include "smime_shim.h"

#include <stdio.h>
#include <string.h>

#define MOST_HEADERS 64

static struct smime_outcome last;
static unsigned int last_id; /* of the message it is of; ids count from 1 */

const struct smime_outcome *smime_outcome_of(struct sip_msg *msg)
{
	return msg->id == last_id ? &last : NULL;
}

static void complain(const char *reason)
{
	LM_ERR("%s; what was read before stays\n", reason);
}

static struct smime_text text_of(const str *s)
{
	struct smime_text text = {s->s, s->s == NULL || s->len < 0 ? 0 : (size_t)s->len};

	return text;
}

static struct smime_text body_of(struct sip_msg *msg)
{
	struct smime_text body = {get_body(msg), 0};

	if(body.s == NULL)
		return body;
	body.len = (size_t)(msg->buf + msg->len - body.s);
	if(msg->content_length != NULL && get_content_length(msg) >= 0
			&& (size_t)get_content_length(msg) < body.len)
		body.len = (size_t)get_content_length(msg);
	return body;
}

static int refuse(struct sip_msg *msg, const char *reason)
{
	memset(&last, 0, sizeof last);
	last_id = msg->id;
	snprintf(last.reason, sizeof last.reason, "%s", reason);
	return -1;
}

/* 0, or -1 when it cannot be read. */
static int read_request(
		struct sip_msg *msg, struct smime_header *headers, struct smime_request *request)
{
	struct hdr_field *header;

	memset(request, 0, sizeof *request);
	request->headers = headers;
	if(parse_headers(msg, HDR_EOH_F, 0) < 0)
		return refuse(msg, "the headers cannot be read");
	for(header = msg->headers; header != NULL; header = header->next) {
		if(!smime_core_covers(text_of(&header->name)))
			continue;
		if(request->header_count == MOST_HEADERS)
			return refuse(msg, "there are too many headers");
		headers[request->header_count].name = text_of(&header->name);
		headers[request->header_count++].value = text_of(&header->body);
	}
	if(smime_replaced(msg, request))
		return 0;
	request->body = body_of(msg);
	if(msg->content_type != NULL && request->body.len > 0)
		request->type = text_of(&msg->content_type->body);
	header = smime_transfer_header(msg);
	if(header != NULL)
		request->transfer = text_of(&header->body);
	return 0;
}

/* Before anything is asked of the core. */
static void follow(struct sip_msg *msg)
{
	last_id = msg->id;
	smime_core_follow(__atomic_load_n(smime_generation, __ATOMIC_SEQ_CST), complain);
}

/* What was done becomes the request's body. */
static int conclude(struct sip_msg *msg, stat_var *counter)
{
	if(!last.done) {
		update_stat(smime_refused, 1);
		return -1;
	}
	update_stat(counter, 1);
	return smime_replace(msg, &last);
}

int smime_sign(struct sip_msg *msg, int with_body)
{
	struct smime_header headers[MOST_HEADERS];
	struct smime_request request;

	if(read_request(msg, headers, &request) < 0)
		return -1;
	if(!with_body) {
		memset(&request.type, 0, sizeof request.type);
		memset(&request.transfer, 0, sizeof request.transfer);
		memset(&request.body, 0, sizeof request.body);
	}
	follow(msg);
	smime_core_sign(&request, &last);
	return conclude(msg, smime_signed);
}

int smime_encrypt(struct sip_msg *msg, const str *certificate)
{
	struct smime_header headers[MOST_HEADERS];
	struct smime_request request;

	if(read_request(msg, headers, &request) < 0)
		return -1;
	if(request.type.len == 0)
		return refuse(msg, "there is no body to encrypt");
	follow(msg);
	smime_core_encrypt(text_of(certificate), &request, &last);
	return conclude(msg, smime_encrypted);
}

int smime_usable(struct sip_msg *msg, const str *certificate)
{
	follow(msg);
	smime_core_usable(text_of(certificate), &last);
	return last.done ? 1 : -1;
}

int smime_peer(struct sip_msg *msg, const str *certificate)
{
	follow(msg);
	smime_core_peer(text_of(certificate), &last);
	if(!last.done)
		update_stat(smime_peers_refused, 1);
	return last.done ? 1 : -1;
}

int smime_say(struct sip_msg *msg, const str *text)
{
	static const char type[] = "text/plain;charset=utf-8";
	struct smime_outcome said;

	memset(&said, 0, sizeof said);
	said.type = (struct smime_text){type, sizeof type - 1};
	said.body = text_of(text);
	return parse_headers(msg, HDR_EOH_F, 0) < 0 ? -1 : smime_replace(msg, &said);
}

int smime_decrypt(struct sip_msg *msg)
{
	struct smime_header headers[MOST_HEADERS];
	struct smime_request request;

	if(read_request(msg, headers, &request) < 0)
		return -1;
	follow(msg);
	smime_core_decrypt(&request, &last);
	return conclude(msg, smime_decrypted);
}

int smime_verify(struct sip_msg *msg, const str *identity)
{
	struct smime_header headers[MOST_HEADERS];
	struct smime_request request;

	if(read_request(msg, headers, &request) < 0)
		return -1;
	follow(msg);
	smime_core_verify(text_of(identity), &request, &last);
	return conclude(msg, smime_verified);
}

static int is(struct sip_msg *msg, int (*kind)(struct smime_text type))
{
	if(parse_headers(msg, HDR_EOH_F, 0) < 0 || msg->content_type == NULL)
		return -1;
	return kind(text_of(&msg->content_type->body)) ? 1 : -1;
}

int smime_is_signed(struct sip_msg *msg)
{
	return is(msg, smime_core_is_signed);
}

int smime_is_encrypted(struct sip_msg *msg)
{
	return is(msg, smime_core_is_encrypted);
}
