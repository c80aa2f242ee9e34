/*
 * reach_message.c - sends texts to terminals, by tm
 * SPDX-License-Identifier: GPL-2.0-or-later
 * To the terminal's Contact, by the way its registration came: Path, the address behind its NAT,
 * the socket of ours.
 */
#include "bmd_kamailio.h"
#include "bmd_random.h"
#include "core/dprint.h"
#include "core/mem/shm_mem.h"
#include "core/parser/parse_rr.h"
#include "reach_shim.h"

#include <stdio.h>
#include <string.h>

/* In whichever process the final answer came to; once. */
static void completed(struct cell *transaction, int type, struct tmcb_params *params)
{
	struct bmd_attempt *attempt = *params->param;

	(void)type;
	if(attempt == NULL)
		return;
	*params->param = NULL;
	attempt->code = params->code;
	if(params->code >= 300) /* the header ends its own line */
		LM_INFO("a terminal answered %d to a text, %.*s", params->code,
				BMD_TM_CALL_ID(transaction)->len, BMD_TM_CALL_ID(transaction)->s);
	reach_attempted(attempt);
	shm_free(attempt);
}

/* RFC 3261, 20.26. */
static const char *priority_header(const char *priority)
{
	if(strcmp(priority, "high") == 0)
		return "Priority: emergency\r\n";
	return strcmp(priority, "medium") == 0 ? "Priority: urgent\r\n" : "";
}

struct message
{
	char to[128];
	char headers[768];
	str target; /* Contact */
	str person;
	str hop; /* len 0: the Contact itself */
	str header;
	str body;
	str socket;
};

static int address_message(const struct reach_contact *contact, const char *person,
		const char *priority, struct message *message)
{
	struct bmd_text domain = reach_bmd.domain();
	str path = {(char *)contact->path, (int)strlen(contact->path)};

	message->target.s = (char *)contact->uri;
	message->target.len = (int)strlen(contact->uri);
	message->hop.s = (char *)contact->hop;
	message->hop.len = (int)strlen(contact->hop);
	if(path.len > 0 && get_path_dst_uri(&path, &message->hop) < 0)
		return -1;
	message->person.s = message->to;
	message->person.len = snprintf(
			message->to, sizeof message->to, "sip:%s@%.*s", person, (int)domain.len, domain.s);
	message->header.s = message->headers;
	message->header.len = snprintf(message->headers, sizeof message->headers,
			"Content-Type: text/plain;charset=utf-8\r\n%s%s%s%s", priority_header(priority),
			path.len > 0 ? "Route: " : "", contact->path, path.len > 0 ? "\r\n" : "");
	message->socket.s = (char *)contact->socket;
	message->socket.len = (int)strlen(contact->socket);
	if(message->person.len >= (int)sizeof message->to
			|| message->header.len >= (int)sizeof message->headers)
		return -1;
	/* looking a name up would keep everybody else's texts waiting */
	return reach_is_address(message->hop.len > 0 ? &message->hop : &message->target) ? 0 : -1;
}

static int send_message(struct message *message, struct bmd_attempt *attempt)
{
	str method = str_init("MESSAGE");
	uac_req_t request;

	set_uac_req(&request, &method, &message->header, &message->body, NULL, TMCB_LOCAL_COMPLETED,
			completed, attempt);
	if(message->socket.len > 0)
		request.ssock = &message->socket;
	bmd_unpredictable();
	return reach_tm.t_request(&request, &message->target, &message->person, &reach_sender,
				   message->hop.len > 0 ? &message->hop : NULL)
						   < 0
				   ? -1
				   : 0;
}

int reach_send_message(const struct reach_contact *contact, const char *priority, const char *text,
		size_t length, const struct bmd_attempt *attempt)
{
	struct message message;
	struct bmd_attempt *kept;

	memset(&message, 0, sizeof message);
	message.body.s = (char *)text;
	message.body.len = (int)length;
	if(address_message(contact, attempt->person, priority, &message) < 0) {
		LM_NOTICE("no text to a terminal of %s: its Contact has no address and no way behind it\n",
				attempt->person);
		return -1;
	}
	kept = shm_malloc(sizeof *kept);
	if(kept == NULL) {
		SHM_MEM_ERROR;
		return -1;
	}
	*kept = *attempt;
	if(send_message(&message, kept) == 0)
		return 0;
	LM_ERR("a text could not be sent; tm says why\n");
	shm_free(kept);
	return -1;
}
