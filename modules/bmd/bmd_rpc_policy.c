/*
 * bmd_rpc_policy.c - RPC commands on who may see what: bmd.policy, bmd.pending, bmd.approve,
 * bmd.refuse SPDX-License-Identifier: GPL-2.0-or-later Reads arguments, calls bmd_core_policy.h,
 * shows the answer.
 */
#include "bmd_core_policy.h"
#include "bmd_kamailio.h"
#include "bmd_shim.h"

#include <string.h>

#define REASON 160
#define MOST_STEPS 300 /* kamcmd takes no reply of more than 128 KiB */
#define MOST_PENDING 500

struct steps
{
	struct bmd_policy_step_view all[MOST_STEPS];
	int count;
};

static void keep_step(const struct bmd_policy_step_view *step, void *arg)
{
	struct steps *steps = arg;

	if(steps->count < MOST_STEPS)
		steps->all[steps->count++] = *step;
}

static void add_verdict(rpc_t *rpc, void *ctx, const struct bmd_verdict_view *verdict)
{
	void *th = NULL;

	if(rpc->add(ctx, "{", &th) < 0)
		return;
	rpc->struct_add(th, "sssds", "decision", verdict->decision, "shown", verdict->shown, "by",
			verdict->by, "most_subscriptions", (int)verdict->most, "state", verdict->state);
}

static void add_steps(rpc_t *rpc, void *ctx, const struct steps *steps)
{
	int i;

	for(i = 0; i < steps->count; i++) {
		const struct bmd_policy_step_view *step = &steps->all[i];
		void *th = NULL;

		if(rpc->add(ctx, "{", &th) < 0)
			return;
		rpc->struct_add(th, "dsss", "rule", step->rule, "says", step->says, "decides",
				step->decides ? "yes" : "no", "why", step->why);
	}
}

const char *bmd_policy_doc[] = {"Whether a person may watch a feed, rule by rule, or is shown the "
								"alerts of a device in it: USER FEED [SERIAL]",
		0};

void bmd_rpc_policy(rpc_t *rpc, void *ctx)
{
	static struct steps steps; /* too large for the stack */
	char user[64], feed[64], serial[64], reason[REASON];
	struct bmd_text who = {NULL, 0}, what = {NULL, 0}, device = {NULL, 0};
	struct bmd_verdict_view verdict;
	int code;

	steps.count = 0;
	if(bmd_scan_name(rpc, ctx, "USER", user, sizeof user, &who) < 0
			|| bmd_scan_name(rpc, ctx, "FEED", feed, sizeof feed, &what) < 0
			|| bmd_scan_name(rpc, ctx, "SERIAL", serial, sizeof serial, &device) < 0
			|| !bmd_scan_end(rpc, ctx))
		return;
	code = bmd_core_policy(who, what, device, &verdict, keep_step, &steps, reason, sizeof reason);
	if(code != 200) {
		rpc->fault(ctx, code, "%s", reason);
		return;
	}
	add_verdict(rpc, ctx, &verdict);
	add_steps(rpc, ctx, &steps);
}

struct pending_reply
{
	rpc_t *rpc;
	void *ctx;
	int count;
};

static void add_pending(const struct bmd_pending_view *pending, void *arg)
{
	struct pending_reply *reply = arg;
	void *th = NULL;

	if(++reply->count > MOST_PENDING || reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "ssss", "user", pending->person, "feed", pending->feed, "since",
			pending->since, "status", pending->status);
}

const char *bmd_pending_doc[] = {
		"Subscriptions that wait for approval, those that wait the longest first", 0};

void bmd_rpc_pending(rpc_t *rpc, void *ctx)
{
	struct pending_reply reply = {rpc, ctx, 0};
	void *th = NULL;

	bmd_core_pending(add_pending, &reply);
	if(reply.count > MOST_PENDING && rpc->add(ctx, "{", &th) >= 0)
		rpc->struct_add(th, "d", "more", reply.count - MOST_PENDING);
}

static void answer(rpc_t *rpc, void *ctx, int approved)
{
	char user[64], feed[64], who[64], reason[REASON];
	struct bmd_text person = {NULL, 0}, what = {NULL, 0}, by = {NULL, 0};
	void *th = NULL;
	int code;

	if(bmd_scan_name(rpc, ctx, "USER", user, sizeof user, &person) < 0
			|| bmd_scan_name(rpc, ctx, "FEED", feed, sizeof feed, &what) < 0
			|| bmd_scan_name(rpc, ctx, "WHO", who, sizeof who, &by) < 0 || !bmd_scan_end(rpc, ctx))
		return;
	code = bmd_core_answer_pending(person, what, approved, by, reason, sizeof reason);
	if(code != 200 && code != 202) {
		rpc->fault(ctx, code, "%s", reason);
		return;
	}
	if(rpc->add(ctx, "{", &th) < 0)
		return;
	rpc->struct_add(th, "s", "answer", approved ? "approved" : "refused");
	if(code == 202)
		rpc->struct_add(th, "s", "note", reason);
}

const char *bmd_approve_doc[] = {
		"Whoever waits for this feed may watch it, as the rule says: USER FEED WHO", 0};

void bmd_rpc_approve(rpc_t *rpc, void *ctx)
{
	answer(rpc, ctx, 1);
}

const char *bmd_refuse_doc[] = {
		"Whoever waits for this feed, or was approved, may not watch it: USER FEED WHO", 0};

void bmd_rpc_refuse(rpc_t *rpc, void *ctx)
{
	answer(rpc, ctx, 0);
}
