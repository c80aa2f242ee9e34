/*
 * bmd_quiet.c - what cannot be read neither floods the log nor stands in it
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Kamailio writes up to twenty lines for one datagram that it cannot parse, and of a TCP request
 * that it cannot, all that has come so far, twice: before any limit of the script is asked.  So its
 * core is silent beyond some such messages in each process, and while it reads from a TCP
 * connection, and so is module pv; and the process that accepts connections is, when few are left:
 * it would write a line of each that it refuses (bmd_room.c says how it is).  Replies that can
 * belong to nothing are counted with these, and dropped.  What modules write, and what comes in the
 * script, is logged as ever.
 */
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/dprint.h"
#include "core/events.h"
#include "core/forward.h"
#include "core/globals.h"
#include "core/pt.h"
#include "core/script_cb.h"
#include "core/timer.h"

#include <string.h>

enum
{
	slot_seconds = 2,
	most_shown = 10 /* messages a slot and process */
};

static int reading;       /* a message is being parsed, or was and did not come further */
static int in_script;     /* and one is there */
static unsigned int slot; /* the present one */
static unsigned int unreadable, hidden; /* messages in it */

static int is_tcp(const char *kind)
{
	static int asked = -1; /* of which process */
	static const char *name = "";

	if(asked != process_no) {
		name = my_desc(); /* set by the process that forked this one, perhaps not yet */
		asked = *name == '\0' ? -1 : process_no;
	}
	return strncmp(name, kind, strlen(kind)) == 0;
}

static int is_tcp_reader(void)
{
	return is_tcp("tcp receiver");
}

/* The core; and module pv, which log_prefix asks for what cannot be read. */
static int looks_at_headers(const char *module, int length)
{
	return (length == 4 && memcmp(module, "core", 4) == 0)
		   || (reading && length == 2 && memcmp(module, "pv", 2) == 0);
}

/* Asked for every line, also for those that are not written. */
static int level_of(char *module, int length, int *level)
{
	if(in_script || !looks_at_headers(module, length)
			|| !(is_tcp_reader() || (reading && unreadable >= most_shown)
					|| (is_tcp("tcp main") && bmd_room_is_little())))
		return -1;
	*level = L_CRIT;
	return 0;
}

static void begin_slot(unsigned int now)
{
	unsigned int count = hidden;

	slot = now;
	unreadable = hidden = 0;
	if(count > 0)
		LM_NOTICE("%u more messages could not be read or were refused, and are not logged one by "
				  "one\n",
				count);
}

int bmd_quiet_may_log(void)
{
	if(++unreadable <= most_shown)
		return 1;
	hidden++;
	return 0;
}

static int on_data(sr_event_param_t *event)
{
	unsigned int now = get_ticks() / slot_seconds;

	(void)event;
	if(reading && bmd_quiet_may_log() && is_tcp_reader())
		LM_NOTICE("a message by TCP could not be read\n");
	if(now != slot)
		begin_slot(now);
	reading = 1;
	in_script = 0;
	return 0;
}

void bmd_quiet_over(void)
{
	reading = 0;
}

/* Reads all headers, in the script; what cannot be read is as little to be logged as before it. */
int bmd_quiet_headers(struct sip_msg *msg)
{
	int was = in_script, result;

	in_script = 0;
	result = parse_headers(msg, HDR_EOH_F, 0);
	in_script = was;
	return result;
}

/* Might it answer what this server has sent?  Of each reply that cannot, the core (check_via) or
 * module tm writes a line; no script is asked before. */
static int may_be_for_us(struct sip_msg *msg)
{
	struct via_body *via = msg->via1;

	if(parse_headers(msg, HDR_CSEQ_F | HDR_CALLID_F, 0) < 0 || msg->cseq == NULL
			|| msg->callid == NULL || via == NULL)
		return 0;
	return !check_via
		   || check_self(&via->host, via->port != 0 ? via->port : SIP_PORT, via->proto) == 1;
}

/* 0: the message is dropped. */
static int before_script(struct sip_msg *msg, unsigned int flags, void *param)
{
	(void)flags;
	(void)param;
	if(msg->first_line.type == SIP_REPLY && !may_be_for_us(msg) && !bmd_quiet_may_log()) {
		reading = 0;
		return 0;
	}
	reading = 0;
	in_script = 1;
	return 1;
}

static int after_script(struct sip_msg *msg, unsigned int flags, void *param)
{
	(void)msg;
	(void)flags;
	(void)param;
	in_script = 0;
	return 1;
}

int bmd_quiet_init(void)
{
	if(sr_event_register_cb(SREV_NET_DATA_IN, on_data) < 0
			|| register_script_cb(before_script, PRE_SCRIPT_CB | REQUEST_CB | ONREPLY_CB, NULL) < 0
			|| register_script_cb(after_script, POST_SCRIPT_CB | REQUEST_CB | ONREPLY_CB, NULL) < 0)
		return -1;
	set_module_debug_level_cb(level_of);
	return 0;
}
