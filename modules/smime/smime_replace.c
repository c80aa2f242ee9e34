/*
 * smime_replace.c - another body in a request
 * SPDX-License-Identifier: GPL-2.0-or-later
 * In a request route the request is built anew, so that what follows reads the new body.  A request
 * that this server makes has no room for that: there the changes are kept until tm builds it, and a
 * second one (encrypted after signed) takes the place of the first.
 */
#include "bmd_kamailio.h"
#include "core/data_lump.h"
#include "core/dprint.h"
#include "core/mem/mem.h"
#include "core/msg_translator.h"
#include "core/parser/parse_content.h"
#include "core/route.h"
#include "smime_shim.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TRANSFER "Content-Transfer-Encoding"

/* Of the request whose body was replaced last. */
static struct
{
	unsigned int id;
	struct lump *headers; /* that name the body */
	struct lump *body;
	struct smime_outcome outcome; /* the core's memory, until it is asked again */
} written;

static int is_transfer(const struct hdr_field *header)
{
	return header->name.len == sizeof TRANSFER - 1
		   && strncasecmp(header->name.s, TRANSFER, sizeof TRANSFER - 1) == 0;
}

struct hdr_field *smime_transfer_header(struct sip_msg *msg)
{
	struct hdr_field *header;

	for(header = msg->headers; header != NULL; header = header->next)
		if(is_transfer(header))
			return header;
	return NULL;
}

int smime_replaced(struct sip_msg *msg, struct smime_request *request)
{
	if(written.id != msg->id)
		return 0;
	request->type = written.outcome.type;
	request->transfer = written.outcome.transfer;
	request->body = written.outcome.body;
	return 1;
}

/* "Content-Type: ...", as pkg memory; NULL without. */
static char *header_lines(const struct smime_outcome *outcome, int *length)
{
	size_t size = outcome->type.len + outcome->transfer.len + 64;
	char *lines = pkg_malloc(size);
	int type;

	if(lines == NULL)
		return NULL;
	type = snprintf(lines, size, "Content-Type: %.*s\r\n", (int)outcome->type.len, outcome->type.s);
	*length = type;
	if(outcome->transfer.len > 0)
		*length += snprintf(lines + type, size - (size_t)type, TRANSFER ": %.*s\r\n",
				(int)outcome->transfer.len, outcome->transfer.s);
	return lines;
}

static char *copy_of(struct smime_text text)
{
	char *copy = pkg_malloc(text.len);

	if(copy != NULL)
		memcpy(copy, text.s, text.len);
	return copy;
}

static void swap(struct lump *lump, char *text, int length)
{
	pkg_free(lump->u.value);
	lump->u.value = text;
	lump->len = length;
}

/* All of them: one that is left would name the new body. */
static int remove_headers(struct sip_msg *msg)
{
	struct hdr_field *header;

	for(header = msg->headers; header != NULL; header = header->next)
		if((header->type == HDR_CONTENTTYPE_T || is_transfer(header))
				&& del_lump(msg, (int)(header->name.s - msg->buf), header->len, 0) == NULL)
			return -1;
	return 0;
}

static int remove_body(struct sip_msg *msg)
{
	char *body = get_body(msg);
	int length;

	del_nonshm_lump(&msg->body_lumps);
	msg->body_lumps = NULL;
	if(body == NULL)
		return -1;
	length = (int)(msg->buf + msg->len - body);
	if(length > 0 && del_lump(msg, (int)(body - msg->buf), length, 0) == NULL)
		return -1;
	return remove_headers(msg);
}

/* Puts `text`, which it takes over, at `place`. */
static struct lump *insert(struct sip_msg *msg, const char *place, char *text, int length)
{
	struct lump *anchor = anchor_lump(msg, (int)(place - msg->buf), 0, 0);
	struct lump *lump = anchor == NULL ? NULL : insert_new_lump_after(anchor, text, length, 0);

	if(lump == NULL)
		pkg_free(text);
	return lump;
}

static int put(struct sip_msg *msg, char *lines, int lines_length, char *body, int body_length)
{
	struct lump *headers, *content;

	if(remove_body(msg) < 0) {
		pkg_free(lines);
		pkg_free(body);
		return -1;
	}
	headers = insert(msg, msg->unparsed, lines, lines_length);
	content = insert(msg, get_body(msg), body, body_length);
	if(headers == NULL || content == NULL)
		return -1;
	written.headers = headers;
	written.body = content;
	return 0;
}

static int put_body(struct sip_msg *msg, const struct smime_outcome *outcome)
{
	int lines_length = 0;
	char *lines = header_lines(outcome, &lines_length);
	char *body = copy_of(outcome->body);

	if(lines == NULL || body == NULL) {
		PKG_MEM_ERROR;
		if(lines != NULL)
			pkg_free(lines);
		if(body != NULL)
			pkg_free(body);
		return -1;
	}
	if(written.id == msg->id) {
		swap(written.headers, lines, lines_length);
		swap(written.body, body, (int)outcome->body.len);
	} else if(put(msg, lines, lines_length, body, (int)outcome->body.len) < 0) {
		return -1;
	}
	written.id = msg->id;
	written.outcome = *outcome;
	return 1;
}

/* Headers that the reply is to have, a proof of the password among them, are not the request's:
 * they stay. */
static int rebuild(struct sip_msg *msg)
{
	struct lump_rpl *of_reply = msg->reply_lump;
	int result;

	msg->reply_lump = NULL;
	result = sip_msg_apply_changes(msg);
	msg->reply_lump = of_reply;
	return result;
}

int smime_replace(struct sip_msg *msg, const struct smime_outcome *outcome)
{
	int nothing = outcome->type.len == 0 || outcome->body.len == 0;
	int result = nothing ? remove_body(msg) : put_body(msg, outcome);

	if(result < 0) {
		LM_ERR("the body of a request cannot be replaced\n");
		return -1;
	}
	if(get_route_type() != REQUEST_ROUTE)
		return 1;
	written.id = 0;
	return rebuild(msg);
}
