/*
 * call_script.c - calls as the routing script sees them, in the processes that get requests
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_kamailio.h"
#include "call_shim.h"
#include "core/dprint.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_to.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int script_admit(struct sip_msg *msg, char *unused1, char *unused2);
static int script_has_address(struct sip_msg *msg, char *unused1, char *unused2);
static int script_name_socket(struct sip_msg *msg, char *unused1, char *unused2);
static int script_takes_text(struct sip_msg *msg, char *unused1, char *unused2);
static int script_in_call(struct sip_msg *msg, char *unused1, char *unused2);

/* clang-format off */
cmd_export_t reach_call_cmds[] = {
	{"reach_admit_call", (cmd_function)script_admit, 0, 0, 0, REQUEST_ROUTE},
	{"reach_contacts_here", (cmd_function)reach_contacts_here, 0, 0, 0, REQUEST_ROUTE},
	{"reach_has_address", (cmd_function)script_has_address, 0, 0, 0, BRANCH_ROUTE},
	{"reach_name_socket", (cmd_function)script_name_socket, 0, 0, 0, BRANCH_ROUTE},
	{"reach_takes_text", (cmd_function)script_takes_text, 0, 0, 0, BRANCH_ROUTE},
	{"reach_in_call", (cmd_function)script_in_call, 0, 0, 0, REQUEST_ROUTE},
	{0, 0, 0, 0, 0, 0}
};
/* clang-format on */

static int is(const char *text, const str *other)
{
	return strlen(text) == (size_t)other->len && memcmp(text, other->s, (size_t)other->len) == 0;
}

/* The same time for any wrong key. */
static int same_key(const char *key, const str *other)
{
	unsigned char difference = 0;
	int i;

	if(other->len != CALL_KEY_SIZE - 1)
		return 0;
	for(i = 0; i < other->len; i++)
		difference |= (unsigned char)(key[i] ^ other->s[i]);
	return difference == 0;
}

/* What phones answer to a body of several parts; 500 is baresip's word for it. */
static int refused(int code)
{
	static const int codes[] = {400, 406, 413, 415, 420, 488, 500, 501, 513};
	size_t i;

	for(i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if(codes[i] == code)
			return 1;
	return 0;
}

/* With the table locked.  A body of several parts is refused, or a request of that size was lost on
 * its way: the next one to this terminal is plain. */
static void learn(struct call *call, const struct ua_client *branch, int code)
{
	int silent = code == 408 && (branch->request.flags & F_RB_REPLIED) == 0;

	if(!refused(code) && !silent)
		return;
	if(!call_is_plain(&branch->uri) && !silent)
		call->again = 1;
	call_keep_plain(&branch->uri, silent ? 600 : 86400);
}

/* The outcome at one terminal: a final response, or none in time. */
static void branch_ended(struct cell *transaction, int type, struct tmcb_params *params)
{
	int branch = reach_tm.t_gett_branch();
	int code = params->code;
	struct call copy;
	struct call *call;
	unsigned int bit;
	int first;

	if(code < 200 || branch < 0 || branch >= transaction->nr_of_outgoings || branch > 30)
		return;
	if(type == TMCB_RESPONSE_IN && !call_is_to_invite(params->rpl))
		return;
	bit = 1U << branch;
	call_lock();
	call = call_of(*params->param);
	first = call != NULL && (call->branches & bit) == 0;
	if(call != NULL && code < 300)
		call_keep_way(call, &transaction->uac[branch], &get_to(params->rpl)->tag_value);
	if(first) {
		if(code == 487 && call->expired)
			code = 408;
		call->branches |= bit;
		learn(call, &transaction->uac[branch], params->code);
		copy = *call;
	}
	call_unlock();
	if(first && code >= 300)
		call_record(&copy, &transaction->uac[branch].uri, code);
}

static struct hdr_field *key_header(struct sip_msg *msg)
{
	struct hdr_field *header;

	for(header = msg->headers; header != NULL; header = header->next)
		if(header->name.len == 10 && strncasecmp(header->name.s, "X-BMD-Call", 10) == 0)
			return header;
	return NULL;
}

/* 1 once for each INVITE that this server has just made, -1 for any other. */
static int script_admit(struct sip_msg *msg, char *unused1, char *unused2)
{
	struct hdr_field *key;
	struct call *call;
	void *handle = NULL;

	(void)unused1;
	(void)unused2;
	if(parse_headers(msg, HDR_EOH_F, 0) < 0 || msg->callid == NULL
			|| (key = key_header(msg)) == NULL)
		return -1;
	call_lock();
	call = call_by_id(&msg->callid->body);
	if(call != NULL && call->state == CALL_RINGING && !call->admitted
			&& same_key(call->key, &key->body)) {
		call->admitted = 1;
		handle = call_handle(call);
	}
	call_unlock();
	if(handle == NULL)
		return -1;
	if(reach_tm.register_tmcb(
			   msg, NULL, TMCB_RESPONSE_IN | TMCB_ON_BRANCH_FAILURE, branch_ended, handle, NULL)
			< 0) {
		LM_ERR("the outcomes at single terminals of a call will not be known\n");
	}
	return 1;
}

/* In a branch route: is the terminal reached without looking a name up, which would keep every
 * other request of this process waiting?  One that is not, and is called, is recorded. */
static int script_has_address(struct sip_msg *msg, char *unused1, char *unused2)
{
	struct call copy;
	struct call *call;

	(void)unused1;
	(void)unused2;
	if(reach_is_address(msg->dst_uri.len > 0 ? &msg->dst_uri : GET_RURI(msg)))
		return 1;
	LM_NOTICE("nothing goes to a terminal: its Contact has no address and no way behind it\n");
	if(msg->REQ_METHOD != METHOD_INVITE) /* a text between people: no outcome of ours */
		return -1;
	call_lock();
	call = msg->callid == NULL ? NULL : call_by_id(&msg->callid->body);
	if(call != NULL) {
		call->branches |= CALL_UNREACHED;
		copy = *call;
	}
	call_unlock();
	if(call != NULL)
		call_record(&copy, GET_RURI(msg), BMD_NOT_SENT);
	return -1;
}

/* In a branch route: a terminal answers to the socket that it registered at. */
static int script_name_socket(struct sip_msg *msg, char *unused1, char *unused2)
{
	(void)unused1;
	(void)unused2;
	return call_name_socket(msg) < 0 ? -1 : 1;
}

/* In a branch route: does this terminal take the text beside the session description? */
static int script_takes_text(struct sip_msg *msg, char *unused1, char *unused2)
{
	int plain;

	(void)unused1;
	(void)unused2;
	call_lock();
	plain = call_is_plain(GET_RURI(msg));
	call_unlock();
	return plain ? -1 : 1;
}

static void say(struct sip_msg *msg, int code, char *phrase)
{
	if(reach_tm.t_reply(msg, (unsigned int)code, phrase) < 0)
		LM_ERR("a request within a call could not be answered\n");
}

/* An offer within the call: what there is goes on as it is, without media. */
static void answer_offer(struct sip_msg *msg, const struct call *call)
{
	struct call_host host = call_host_of(call);
	struct bmd_text offer = {get_body(msg), 0};
	char sdp[2048], headers[320];
	str ok = str_init("OK"), body = {sdp, 0}, header = {headers, 0};
	char contact[256];

	if(offer.s != NULL)
		offer.len = (size_t)(msg->buf + msg->len - offer.s);
	if(offer.len == 0 && msg->REQ_METHOD == METHOD_UPDATE) {
		say(msg, 200, "OK");
		return;
	}
	body.len = (int)call_core_answer(&host, offer, sdp, sizeof sdp);
	if(body.len == 0 || call_contact(call_socket(), contact, sizeof contact) < 0) {
		say(msg, 488, "Not Acceptable Here");
		return;
	}
	header.len = snprintf(headers, sizeof headers, "%sContent-Type: application/sdp\r\n", contact);
	if(reach_tm.t_reply_with_body(reach_tm.t_gett(), 200, &ok, &body, &header, NULL) < 0)
		LM_ERR("an offer within a call could not be answered\n");
}

/* How far the transfer is (RFC 3515): once it is over, so is our call. */
static void take_progress(struct sip_msg *msg, const void *handle)
{
	struct call *call;
	char *body = get_body(msg);

	if(body == NULL || msg->buf + msg->len - body < 11 || strncmp(body, "SIP/2.0 ", 8) != 0
			|| atoi(body + 8) < 200)
		return;
	call_lock();
	call = call_of(handle);
	if(call != NULL && call->state == CALL_TALKING)
		call->until = call_clock();
	call_unlock();
}

static void answer(struct sip_msg *msg, const struct call *call, const void *handle)
{
	switch(msg->REQ_METHOD) {
		case METHOD_INVITE:
		case METHOD_UPDATE:
			answer_offer(msg, call);
			break;
		case METHOD_NOTIFY:
			say(msg, 200, "OK");
			take_progress(msg, handle);
			break;
		case METHOD_BYE:
		case METHOD_INFO:
			say(msg, 200, "OK");
			break;
		default:
			say(msg, 405, "Method Not Allowed");
			break;
	}
}

/* Answers a request within a call of ours; -1: it is within none. */
static int script_in_call(struct sip_msg *msg, char *unused1, char *unused2)
{
	struct call *call;
	struct call copy;
	void *handle = NULL;

	(void)unused1;
	(void)unused2;
	if(parse_headers(msg, HDR_EOH_F, 0) < 0 || msg->callid == NULL || parse_from_header(msg) < 0
			|| parse_to_header(msg) < 0)
		return -1;
	call_lock();
	call = call_by_id(&msg->callid->body);
	if(call != NULL && call->remote_tag[0] != '\0' && is(call->tag, &get_to(msg)->tag_value)
			&& is(call->remote_tag, &get_from(msg)->tag_value)) {
		handle = call_handle(call);
		copy = *call;
		if(msg->REQ_METHOD == METHOD_BYE
				&& (call->state == CALL_ANSWERED || call->state == CALL_TALKING))
			call->state = CALL_OVER;
	}
	call_unlock();
	if(handle == NULL)
		return -1;
	if(reach_tm.t_newtran(msg) > 0) /* else it came twice at once */
		answer(msg, &copy, handle);
	return 1;
}
