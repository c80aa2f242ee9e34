/*
 * bmd_answer_rpc.c - RPC commands of module bmd by which operators answer alerts
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Reads arguments, calls bmd_core.h, shows the answer.
 */
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/str.h"

#include <string.h>

#define REASON 256

/* Buffers of the words of one command: longer by far than what is taken. */
struct words
{
	char alert[64], extra[32], who[128], why[256];
};

static struct bmd_text text(const char *s)
{
	struct bmd_text text = {s, strlen(s)};

	return text;
}

/* It is in force, and on its way to the database: a server killed before it is there forgets it. */
static void reply_to(rpc_t *rpc, void *ctx, int code, const char *reason)
{
	void *th = NULL;

	if(code != 200 && code != 202) {
		rpc->fault(ctx, code, "%s", reason);
		return;
	}
	if(rpc->add(ctx, "{", &th) < 0)
		return;
	rpc->struct_add(th, "s", "durable", "no");
	if(code == 202)
		rpc->struct_add(th, "s", "note", reason);
}

static void give(rpc_t *rpc, void *ctx, struct bmd_answer *answer, const char *act)
{
	char reason[REASON] = "";
	int code;

	answer->act = text(act);
	answer->through = text("kamcmd");
	answer->by_operator = 1;
	code = bmd_core_answer(answer, reason, sizeof reason);
	reply_to(rpc, ctx, code, reason);
}

/* WHO [WHY] and nothing else; 0 with a fault. */
static int scan_person(rpc_t *rpc, void *ctx, struct words *words, struct bmd_answer *answer)
{
	if(bmd_scan_name(rpc, ctx, "WHO", words->who, sizeof words->who, &answer->who) < 0)
		return 0;
	(void)bmd_scan_word(rpc, ctx, words->why, sizeof words->why, &answer->why);
	return bmd_scan_end(rpc, ctx);
}

static void plain_answer(rpc_t *rpc, void *ctx, const char *act)
{
	struct words words;
	struct bmd_answer answer = {.seconds = 0};

	(void)bmd_scan_word(rpc, ctx, words.alert, sizeof words.alert, &answer.alert);
	if(scan_person(rpc, ctx, &words, &answer))
		give(rpc, ctx, &answer, act);
}

static const char *accept_doc[] = {
		"A technician sees to an alert: ALERT WHO [WHY]; ALERT is an id or a code", 0};

static void rpc_accept(rpc_t *rpc, void *ctx)
{
	plain_answer(rpc, ctx, "accept");
}

static const char *reject_doc[] = {
		"Somebody does not see to an alert, or it is taken from whom accepted it: ALERT WHO [WHY]",
		0};

static void rpc_reject(rpc_t *rpc, void *ctx)
{
	plain_answer(rpc, ctx, "reject");
}

static const char *ack_doc[] = {"An alert has been dealt with: a latched one closes, another when "
								"its condition has gone: ALERT WHO [WHY]",
		0};

static void rpc_ack(rpc_t *rpc, void *ctx)
{
	plain_answer(rpc, ctx, "acknowledge");
}

static const char *end_doc[] = {
		"Ends an alert whose condition no reading will end; the next bad one "
		"raises it again: ALERT WHO WHY",
		0};

static void rpc_end(rpc_t *rpc, void *ctx)
{
	plain_answer(rpc, ctx, "end");
}

static const char *resolve_doc[] = {
		"As bmd.ack, and says what the alert turned out to be: ALERT actionable|false WHO [WHY]",
		0};

static void rpc_resolve(rpc_t *rpc, void *ctx)
{
	struct words words;
	struct bmd_answer answer = {.seconds = 0};

	(void)bmd_scan_word(rpc, ctx, words.alert, sizeof words.alert, &answer.alert);
	(void)bmd_scan_word(rpc, ctx, words.extra, sizeof words.extra, &answer.outcome);
	if(scan_person(rpc, ctx, &words, &answer))
		give(rpc, ctx, &answer, "resolve");
}

/* A whole number of seconds, or 0 with a fault. */
static int scan_seconds(rpc_t *rpc, void *ctx, long *seconds)
{
	int number = 0;

	if(rpc->scan(ctx, "*d", &number) < 1) {
		rpc->fault(ctx, 400, "SECONDS is missing or no whole number");
		return 0;
	}
	*seconds = number;
	return 1;
}

static const char *silence_doc[] = {
		"Silences an alert for a bounded time; 0 ends it: ALERT SECONDS WHO [WHY]", 0};

static void rpc_silence(rpc_t *rpc, void *ctx)
{
	struct words words;
	struct bmd_answer answer = {.seconds = 0};

	(void)bmd_scan_word(rpc, ctx, words.alert, sizeof words.alert, &answer.alert);
	if(!scan_seconds(rpc, ctx, &answer.seconds))
		return;
	if(scan_person(rpc, ctx, &words, &answer))
		give(rpc, ctx, &answer, "silence");
}

struct reply
{
	rpc_t *rpc;
	void *ctx;
};

static void add_window(const struct bmd_window_view *window, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;

	if(reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "dsssss", "in_force", window->in_force, "of", window->of, "from",
			window->from, "until", window->until, "who", window->who, "why", window->why);
}

static const char *maintenance_doc[] = {
		"A device is being worked on from now on: SERIAL SECONDS WHO WHY; 0 seconds end it; alone: "
		"lists the windows that are in force or to come",
		0};

static void rpc_maintenance(rpc_t *rpc, void *ctx)
{
	struct words words;
	struct bmd_text serial, who, why;
	char reason[REASON] = "";
	struct reply reply = {rpc, ctx};
	long seconds;
	int code;

	switch(bmd_scan_name(rpc, ctx, "SERIAL", words.alert, sizeof words.alert, &serial)) {
		case 0:
			bmd_core_windows(add_window, &reply);
			return;
		case -1:
			return;
	}
	if(!scan_seconds(rpc, ctx, &seconds)
			|| bmd_scan_name(rpc, ctx, "WHO", words.who, sizeof words.who, &who) < 0)
		return;
	(void)bmd_scan_word(rpc, ctx, words.why, sizeof words.why, &why);
	if(!bmd_scan_end(rpc, ctx))
		return;
	code = bmd_core_maintenance(serial, seconds, who, why, reason, sizeof reason);
	reply_to(rpc, ctx, code, reason);
}

static void add_alarm(const struct bmd_alarm_view *alarm, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;

	if(reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "sssssss", "serial", alarm->serial, "metric", alarm->metric,
			"condition", alarm->condition, "raised", alarm->raised, "accepted", alarm->accepted,
			"false", alarm->false_alarms, "median_seconds", alarm->median);
}

static const char *report_alarms_doc[] = {
		"By device and rule: alerts raised, accepted, false, "
		"median seconds until somebody answered: "
		"[DEVICE [DAYS]], DEVICE * for all, by default of 30 days",
		0};

static void rpc_report_alarms(rpc_t *rpc, void *ctx)
{
	struct reply reply = {rpc, ctx};
	char word[64], reason[REASON] = "";
	struct bmd_text serial;
	int days = 30, more = 0, code;
	void *th = NULL;

	if(bmd_scan_name(rpc, ctx, "DEVICE", word, sizeof word, &serial) < 0)
		return;
	if(serial.len == 1 && *serial.s == '*')
		serial.len = 0;
	(void)rpc->scan(ctx, "*d", &days);
	code = bmd_core_report_alarms(serial, days, add_alarm, &reply, &more, reason, sizeof reason);
	if(code != 200)
		rpc->fault(ctx, code, "%s", reason);
	else if(more && rpc->add(ctx, "{", &th) >= 0)
		rpc->struct_add(th, "s", "more", "only the 1000 most frequent are shown");
}

/* clang-format off */
rpc_export_t bmd_answer_rpc_cmds[] = {
	{"bmd.accept",        rpc_accept,        accept_doc,        0},
	{"bmd.reject",        rpc_reject,        reject_doc,        0},
	{"bmd.ack",           rpc_ack,           ack_doc,           0},
	{"bmd.resolve",       rpc_resolve,       resolve_doc,       0},
	{"bmd.end",           rpc_end,           end_doc,           0},
	{"bmd.silence",       rpc_silence,       silence_doc,       0},
	{"bmd.maintenance",   rpc_maintenance,   maintenance_doc,   RET_ARRAY},
	{"bmd.report-alarms", rpc_report_alarms, report_alarms_doc, RET_ARRAY},
	{0, 0, 0, 0}
};
/* clang-format on */
