/*
 * reach_call.c - begins and ends calls, in the process "BMD reach"
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A call is an INVITE of tm to this very server, where the routing script finds the terminals of
 * its person and forks it (kamailio-cfg/bmd/call.cfg).
 */
#include "reach_call.h"
#include "bmd_kamailio.h"
#include "bmd_random.h"
#include "call_shim.h"
#include "core/dprint.h"
#include "core/socket_info.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define SECOND 1000000LL
#define LOOK_EVERY (SECOND / 10)
#define LEFT_FOR (3 * SECOND) /* outcomes of terminals that were cancelled come within that */
#define STARTS_WITHIN                                                                              \
	(3 * SECOND)                    /* until usrloc knows the terminals that had registered before \
									 */
#define ANSWER_WITHIN (10 * SECOND) /* after a CANCEL; else the person may be called again */

str reach_announcement_uri = {NULL, 0};
str reach_call_socket = {NULL, 0};
int reach_call_hold = 5;
int reach_call_limit = 100;
int reach_calls = 256;

static int64_t begins_at; /* monotonic: the first call */
static int64_t looked_at; /* when alerts of ringing calls were last asked for */
static unsigned int numbers;

int reach_calls_init(void)
{
	struct sip_uri parsed;

	if(reach_announcement_uri.len > 0
			&& (reach_announcement_uri.len > 255
					|| parse_uri(reach_announcement_uri.s, reach_announcement_uri.len, &parsed)
							   < 0)) {
		LM_ERR("announcement_uri is no SIP URI of at most 255 bytes\n");
		return -1;
	}
	if(reach_call_hold < 0 || reach_call_hold > 60 || reach_call_limit < 5
			|| reach_call_limit > 110) {
		LM_ERR("call_hold is 0 to 60 s, call_limit 5 to 110 s\n");
		return -1;
	}
	if(call_socket() == NULL) {
		if(reach_call_socket.len > 0)
			LM_ERR("call_socket \"%.*s\" is no socket of this server, as proto:address:port\n",
					reach_call_socket.len, reach_call_socket.s);
		else
			LM_ERR("no address is listened on by UDP: set call_socket\n");
		return -1;
	}
	call_core_init(&reach_bmd);
	return call_table_init(reach_calls);
}

void reach_call(const struct bmd_task *task)
{
	call_core_ask(task);
}

void reach_call_changed(const struct bmd_task *task)
{
	(void)task;
	looked_at = 0; /* who accepted may be another than who is being called */
}

static int random_text(char *text, size_t size)
{
	unsigned char bytes[CALL_KEY_SIZE / 2];
	size_t i;

	if(getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return -1;
	for(i = 0; i < sizeof bytes && 2 * i + 2 < size; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static struct call *free_place(void)
{
	int i;

	for(i = 0; i < call_table_size(); i++)
		if(call_at(i)->state == CALL_FREE)
			return call_at(i);
	return NULL;
}

/* Its dialog, to our own socket. */
static int open_dialog(struct call *call)
{
	struct bmd_text domain = reach_bmd.domain();
	char from[512], to[320], hop[160];
	str local = {from, 0}, person = {to, 0}, next = {hop, 0}, id, tag = {call->tag, 0};

	local.len = snprintf(
			from, sizeof from, "%s <%.*s>", call->told.display, reach_sender.len, reach_sender.s);
	person.len =
			snprintf(to, sizeof to, "sip:%s@%.*s", call->told.person, (int)domain.len, domain.s);
	next.len = call_own_uri(hop, sizeof hop);
	if(local.len >= (int)sizeof from || person.len >= (int)sizeof to || next.len < 0)
		return -1;
	tag.len = (int)strlen(call->tag);
	reach_tm.generate_callid(&id);
	if(id.len >= CALL_ID_SIZE)
		return -1;
	if(reach_tm.new_dlg_uac(&id, &tag, 1, &local, &person, &call->dialog) < 0) {
		call->dialog = NULL; /* tm has freed it, and left it there */
		return -1;
	}
	memcpy(call->call_id, id.s, (size_t)id.len);
	call->call_id[id.len] = '\0';
	if(reach_tm.set_dlg_target(call->dialog, &person, &next) < 0) {
		reach_tm.free_dlg(call->dialog);
		call->dialog = NULL;
		return -1;
	}
	call->dialog->send_sock = (struct socket_info *)call_socket();
	return 0;
}

static int send_invite(struct call *call)
{
	char headers[1536], contact[256], body[3072];
	str method = str_init("INVITE"), header = {headers, 0}, content = {body, 0};
	struct call_host host = call_host_of(call);
	uac_req_t request;

	content.len = (int)call_core_body(&host, call->told.text, call->tag, body, sizeof body);
	if(content.len == 0 || call_contact(call_socket(), contact, sizeof contact) < 0)
		return -1;
	header.len = snprintf(headers, sizeof headers,
			"%s%sX-BMD-Call: %s\r\nExpires: %d\r\nAllow: " CALL_METHODS "\r\n"
			"Accept: application/sdp, message/sipfrag\r\n"
			"Content-Type: multipart/mixed;boundary=%s\r\n",
			contact, call->told.headers, call->key, reach_call_limit, call->tag);
	if(header.len >= (int)sizeof headers)
		return -1;
	set_uac_req(&request, &method, &header, &content, call->dialog, CALL_EVENTS, call_completed,
			call_handle(call));
	bmd_unpredictable();
	return reach_tm.t_uac_with_ids(&request, &call->index, &call->label) < 0 ? -1 : 0;
}

/* The place is not seen by others until its state says so. */
static int prepare(struct call *call, const struct call_invitation *invitation)
{
	struct timespec now;

	memset(call, 0, sizeof *call);
	call->number = ++numbers;
	call->told = *invitation;
	clock_gettime(CLOCK_REALTIME, &now);
	call->sent_at = (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
	call->until = call_clock() + reach_call_limit * SECOND;
	return random_text(call->key, sizeof call->key) < 0
						   || random_text(call->tag, sizeof call->tag) < 0
				   ? -1
				   : open_dialog(call);
}

static void begin(struct call *call, const struct call_invitation *invitation)
{
	int failed = prepare(call, invitation);

	call_lock();
	call->state = CALL_RINGING;
	call_unlock();
	if(failed == 0)
		failed = send_invite(call);
	if(failed == 0)
		return;
	LM_ERR("a call could not be made\n");
	call_record(call, NULL, BMD_NOT_SENT);
	call_lock();
	call->state = CALL_OVER;
	call_unlock();
}

static void cancel(struct call *call, int64_t now)
{
	struct cell *transaction = NULL;
	struct cancel_info what;

	call_lock();
	if(call->cancelled == 0) {
		call->cancelled = now;
		call->until = now + ANSWER_WITHIN;
	}
	call_unlock();
	if(reach_tm.t_lookup_ident(&transaction, call->index, call->label) < 0 || transaction == NULL)
		return;
	init_cancel_info(&what);
	reach_tm.prepare_to_cancel(transaction, &what.cancel_bitmap, 0);
	reach_tm.cancel_uacs(transaction, &what, 0);
	reach_tm.unref_cell(transaction);
	reach_tm.t_sett(T_UNDEFINED, T_BR_UNDEFINED); /* the look-up left it there */
}

static void give_up(struct call *call)
{
	LM_ERR("a call got no final response in time\n");
	call_record(call, NULL, call->expired ? 408 : 487);
	call_lock();
	if(call->state == CALL_RINGING)
		call->state = CALL_OVER;
	call_unlock();
}

static void look_at_ringing(struct call *call, int64_t now, int look)
{
	if(call->cancelled != 0) {
		if(now >= call->until)
			give_up(call);
		else if(look)
			cancel(call, now); /* one that came before any response was not sent */
		return;
	}
	if(call_core_overtaken(call->told.person)) {
		call_core_ask_again(&call->told, 0);
	} else if(now >= call->until) {
		call_lock();
		call->expired = 1;
		call_unlock();
	} else if(!look || call_core_goes_on(&call->told)) {
		return;
	}
	cancel(call, now);
}

/* The state comes first: the answer to the REFER may be faster than this process. */
static void begin_talk(struct call *call, int64_t now)
{
	int transfer = reach_announcement_uri.len > 0 && call->cancelled == 0;
	int talking;

	call_lock();
	talking = call->state == CALL_ANSWERED;
	if(talking) {
		call->state = CALL_TALKING;
		call->until = now + (transfer ? reach_call_limit : reach_call_hold) * SECOND;
		if(call->cancelled != 0)
			call->until = now;
	}
	call_unlock();
	if(!talking || !transfer || call_transfer(call) == 0)
		return;
	call_lock();
	if(call->state == CALL_TALKING)
		call->until = now + reach_call_hold * SECOND;
	call_unlock();
}

static void look_at_talking(struct call *call, int64_t now)
{
	int over;

	if(now < call->until && !call_core_overtaken(call->told.person))
		return;
	call_lock();
	over = call->state != CALL_TALKING; /* the terminal was first */
	call->state = CALL_OVER;
	call_unlock();
	if(!over)
		call_hang_up(call->dialog);
}

/* At once without the text: a terminal that refused the body has not rung, and nobody declined.
 * Once: one that refuses that as well would be called without end. */
static int call_again(const struct call *call)
{
	return call->again && !call->told.again && call->cancelled == 0 && call->code / 100 != 2
		   && call->code / 100 != 6;
}

/* The next call to this person may begin; the place is kept for late outcomes. */
static void leave(struct call *call, int64_t now)
{
	dlg_t *dialog;

	call_lock();
	dialog = call->dialog;
	call->dialog = NULL;
	call->until = now + LEFT_FOR;
	call->state = CALL_LEFT;
	call_unlock();
	if(dialog != NULL)
		reach_tm.free_dlg(dialog);
	if(call_again(call))
		call_core_ask_again(&call->told, 1);
	call_core_over(call->told.person);
}

static void look_at(struct call *call, int64_t now, int look)
{
	switch(call->state) {
		case CALL_RINGING:
			look_at_ringing(call, now, look);
			break;
		case CALL_ANSWERED:
			begin_talk(call, now);
			break;
		case CALL_TALKING:
			look_at_talking(call, now);
			break;
		case CALL_OVER:
			leave(call, now);
			break;
		case CALL_LEFT:
			if(now < call->until)
				break;
			call_lock();
			call->state = CALL_FREE;
			call_unlock();
			break;
		case CALL_FREE:
			break;
	}
}

void reach_calls_round(void)
{
	static struct call_invitation invitation;
	int64_t now = call_clock();
	int look = now - looked_at >= LOOK_EVERY;
	struct call *place;
	int i;

	for(i = 0; i < call_table_size(); i++)
		look_at(call_at(i), now, look);
	if(look)
		looked_at = now;
	if(begins_at == 0)
		begins_at = now + STARTS_WITHIN;
	if(now < begins_at)
		return;
	while((place = free_place()) != NULL && call_core_next(&invitation))
		begin(place, &invitation);
}
