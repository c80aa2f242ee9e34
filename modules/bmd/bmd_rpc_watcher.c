/*
 * bmd_rpc_watcher.c - RPC command on what is held back from a technician: bmd.watcher
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Reads arguments, calls bmd_core.h, shows the answer.
 */
#include "bmd_core_filter.h"
#include "bmd_core_watcher.h"
#include "bmd_kamailio.h"
#include "bmd_shim.h"

#define MOST_HELD 200 /* kamcmd takes no reply of more than 128 KiB */
#define MOST_FILTERS 12

struct reply
{
	rpc_t *rpc;
	void *ctx;
	int held;
	int filters;
};

static void add_rule(const struct bmd_watcher_rule_view *rule, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;

	if(reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "ds", "rule", rule->rule, "says", rule->words);
}

static void add_held(const struct bmd_held_view *held, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;

	if(++reply->held > MOST_HELD || reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "ssssss", "held", held->code, "serial", held->serial, "metric",
			held->metric, "priority", held->priority, "state", held->state, "feed", held->feed);
	reply->rpc->struct_add(th, "sdss", "why", held->why, "by_rule", held->rule, "since",
			held->since, "until", held->until);
}

static void add_filter(const struct bmd_filter_view *filter, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;

	if(++reply->filters > MOST_FILTERS || reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "ss", "feed", filter->feed, "filter", filter->filter);
}

const char *bmd_watcher_doc[] = {"Which rules hold alerts back from a technician, and what they "
								 "hold back now; which filters the terminals asked for: USER",
		0};

void bmd_rpc_watcher(rpc_t *rpc, void *ctx)
{
	struct reply reply = {rpc, ctx, 0, 0};
	char word[64], reason[128];
	struct bmd_text user;
	void *th = NULL;
	int code;

	(void)bmd_scan_word(rpc, ctx, word, sizeof word, &user);
	code = bmd_core_watcher(user, add_rule, add_held, &reply, reason, sizeof reason);
	if(code != 200) {
		rpc->fault(ctx, code, "%s", reason);
		return;
	}
	if(reply.held > MOST_HELD && rpc->add(ctx, "{", &th) >= 0)
		rpc->struct_add(th, "d", "more", reply.held - MOST_HELD);
	bmd_core_filters(user, add_filter, &reply);
	if(reply.filters > MOST_FILTERS && rpc->add(ctx, "{", &th) >= 0)
		rpc->struct_add(th, "d", "more_filters", reply.filters - MOST_FILTERS);
}
