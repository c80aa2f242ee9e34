/*
 * call_dialog.c - the dialog of a call: answered, transferred, ended
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Every dialog is ended by us unless the terminal was first.  ACK is sent here: tm would look up
 * the name in a Contact.
 */
#include "bmd_kamailio.h"
#include "bmd_random.h"
#include "call_shim.h"
#include "core/dprint.h"
#include "core/parser/contact/parse_contact.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_to.h"

#include <stdio.h>
#include <string.h>

static int send_within(dlg_t *dialog, char *name, str *headers, transaction_cb *done, void *param)
{
	str method = {name, (int)strlen(name)};
	uac_req_t what;

	set_uac_req(&what, &method, headers, NULL, dialog, done == NULL ? 0 : TMCB_LOCAL_COMPLETED,
			done, param);
	bmd_unpredictable();
	if(reach_tm.t_request_within(&what) < 0) {
		LM_ERR("a %s within a call could not be sent\n", name);
		return -1;
	}
	return 0;
}

int call_hang_up(dlg_t *dialog)
{
	return send_within(dialog, "BYE", NULL, NULL, NULL);
}

/* A terminal that does not transfer is held instead. */
static void transferred(struct cell *transaction, int type, struct tmcb_params *params)
{
	struct call *call;

	(void)transaction;
	(void)type;
	if(params->code < 300)
		return;
	LM_INFO("a terminal answered %d to a REFER\n", params->code);
	call_lock();
	call = call_of(*params->param);
	if(call != NULL && call->state == CALL_TALKING)
		call->until = call_clock() + reach_call_hold * 1000000LL;
	call_unlock();
}

int call_transfer(struct call *call)
{
	char headers[1024], contact[256];
	str header = {headers, 0};

	if(call_contact(call_socket(), contact, sizeof contact) < 0)
		return -1;
	header.len = snprintf(headers, sizeof headers, "%sRefer-To: <%.*s>\r\nReferred-By: <%.*s>\r\n",
			contact, reach_announcement_uri.len, reach_announcement_uri.s, reach_sender.len,
			reach_sender.s);
	if(header.len >= (int)sizeof headers)
		return -1;
	return send_within(call->dialog, "REFER", &header, transferred, call_handle(call));
}

static dlg_t *new_dialog(struct sip_msg *reply)
{
	struct to_body *from, *to;
	dlg_t *dialog = NULL;
	unsigned int number;

	if(parse_headers(reply, HDR_EOH_F, 0) < 0 || reply->callid == NULL || reply->cseq == NULL
			|| parse_from_header(reply) < 0 || (from = get_from(reply)) == NULL
			|| parse_to_header(reply) < 0 || (to = get_to(reply)) == NULL
			|| str2int(&get_cseq(reply)->number, &number) < 0) {
		LM_ERR("a response to an INVITE cannot be read\n");
		return NULL;
	}
	if(reach_tm.new_dlg_uac(
			   &reply->callid->body, &from->tag_value, number, &from->uri, &to->uri, &dialog)
			< 0)
		return NULL;
	if(reach_tm.dlg_response_uac(dialog, reply, IS_TARGET_REFRESH) == 0)
		return dialog;
	reach_tm.free_dlg(dialog);
	return NULL;
}

/* One request to whatever terminal has sent this 2xx. */
static void tell_terminal(struct sip_msg *reply, const void *handle, char *method)
{
	dlg_t *dialog = new_dialog(reply);
	int known;

	if(dialog == NULL)
		return;
	call_lock();
	known = call_take_way(dialog, call_of(handle), &get_to(reply)->tag_value) == 0;
	call_unlock();
	if(known)
		send_within(dialog, method, NULL, NULL, NULL);
	else
		LM_ERR("a terminal that answered gave no address: no %s to it\n", method);
	reach_tm.free_dlg(dialog);
}

static void contact_of(struct sip_msg *reply, str *uri)
{
	contact_t *first;

	uri->len = 0;
	if(reply->contact == NULL || parse_contact(reply->contact) < 0)
		return;
	first = ((contact_body_t *)reply->contact->parsed)->contacts;
	if(first != NULL)
		*uri = first->uri;
}

static int keep_tag(struct call *call, struct sip_msg *reply)
{
	const str *tag = &get_to(reply)->tag_value;

	if(tag->len <= 0 || tag->len >= CALL_TAG_SIZE)
		return -1;
	memcpy(call->remote_tag, tag->s, (size_t)tag->len);
	call->remote_tag[tag->len] = '\0';
	return 0;
}

/* With the table locked. */
static int confirm(struct call *call, struct sip_msg *reply)
{
	if(reach_tm.dlg_response_uac(call->dialog, reply, IS_TARGET_REFRESH) != 0
			|| keep_tag(call, reply) < 0)
		return 0;
	call->dialog->send_sock = NULL; /* the one that fits where it goes */
	return call_take_way(call->dialog, call, &get_to(reply)->tag_value) == 0;
}

static void answered(const void *handle, struct sip_msg *reply, int code)
{
	struct call copy;
	struct call *call;
	str terminal;
	int known, confirmed = 0;

	call_lock();
	call = call_of(handle);
	known = call != NULL;
	if(known && call->state == CALL_RINGING) {
		confirmed = confirm(call, reply);
		call->state = confirmed ? CALL_ANSWERED : CALL_OVER;
		call->code = code;
	}
	if(known)
		copy = *call;
	call_unlock();
	/* a second terminal that answered, or one after the call was over */
	if(!confirmed)
		tell_terminal(reply, handle, "BYE");
	if(!known)
		return;
	contact_of(reply, &terminal);
	call_record(&copy, &terminal, code);
}

static void failed(const void *handle, int code)
{
	struct call copy;
	struct call *call;
	int found;

	call_lock();
	call = call_of(handle);
	found = call != NULL && call->state == CALL_RINGING;
	if(found) {
		if(code == 487 && call->expired)
			code = 408;
		call->code = code;
		copy = *call;
		call->state = CALL_OVER;
	}
	call_unlock();
	/* outcomes of single terminals say more */
	if(found && copy.branches == 0)
		call_record(&copy, NULL, code);
}

int call_is_to_invite(struct sip_msg *reply)
{
	return parse_headers(reply, HDR_CSEQ_F | HDR_TO_F, 0) == 0 && reply->cseq != NULL
		   && reply->to != NULL && get_cseq(reply)->method_id == METHOD_INVITE;
}

void call_completed(struct cell *transaction, int type, struct tmcb_params *params)
{
	int taken = params->code / 100 == 2 && params->rpl != NULL && params->rpl != FAKED_REPLY;

	(void)transaction;
	if(type == TMCB_LOCAL_RESPONSE_IN) {
		if(taken && call_is_to_invite(params->rpl)) /* each time that it comes */
			tell_terminal(params->rpl, *params->param, "ACK");
	} else if(taken) {
		answered(*params->param, params->rpl, params->code);
	} else {
		failed(*params->param, params->code);
	}
}
