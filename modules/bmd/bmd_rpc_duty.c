/*
 * bmd_rpc_duty.c - RPC commands on who is called: bmd.oncall, bmd.explain, bmd.dry-run
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Reads arguments, calls bmd_core.h, shows the answer.
 */
#include "bmd_kamailio.h"
#include "bmd_shim.h"

#include <string.h>

#define MOST_STEPS 64

struct reply
{
	rpc_t *rpc;
	void *ctx;
};

/* Steps come before the plan they belong to is shown. */
struct step_list
{
	struct bmd_step_view steps[MOST_STEPS];
	int count;
};

static void add_oncall(const struct bmd_oncall_view *view, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;

	if(reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "ssssss", "team", view->team, "person", view->person, "why",
			view->why, "at", view->at, "until", view->until, "time_zone", view->zone);
}

const char *bmd_oncall_doc[] = {"Who is on call, and why: [TEAM [AT]]; AT as in "
								"2026-03-29T02:00:00+01:00, by default now",
		0};

void bmd_rpc_oncall(rpc_t *rpc, void *ctx)
{
	struct reply reply = {rpc, ctx};
	char team_word[64], at_word[64], reason[128];
	struct bmd_text team, at;
	int code;

	(void)bmd_scan_word(rpc, ctx, team_word, sizeof team_word, &team);
	(void)bmd_scan_word(rpc, ctx, at_word, sizeof at_word, &at);
	code = bmd_core_oncall(team, at, add_oncall, &reply, reason, sizeof reason);
	if(code != 200)
		rpc->fault(ctx, code, "%s", reason);
}

static void keep_step(const struct bmd_step_view *step, void *arg)
{
	struct step_list *list = arg;

	if(list->count < MOST_STEPS)
		list->steps[list->count++] = *step;
}

static void show_plan(
		rpc_t *rpc, void *ctx, const struct bmd_plan_view *plan, const struct step_list *list)
{
	void *th = NULL;
	int i;

	if(rpc->add(ctx, "{", &th) < 0)
		return;
	rpc->struct_add(th, "ssssss", "alert", plan->alert, "serial", plan->serial, "type", plan->type,
			"priority", plan->priority, "policy", plan->policy, "why", plan->why_policy);
	rpc->struct_add(th, "sssd", "raised_at", plan->raised_at, "next_at", plan->next_at,
			"recipients", plan->recipients, "begun", (int)plan->begun);
	if(plan->alert[0] != '\0')
		rpc->struct_add(th, "ssssss", "response", plan->response, "by", plan->by, "since",
				plan->since, "silenced_until", plan->silenced_until, "suppressed", plan->suppressed,
				"held", plan->held);
	else if(plan->suppressed[0] != '\0')
		rpc->struct_add(th, "s", "suppressed", plan->suppressed);
	if(plan->alert[0] != '\0')
		bmd_add_reach(rpc, th, plan->alert);
	for(i = 0; i < list->count; i++) {
		const struct bmd_step_view *s = &list->steps[i];

		if(rpc->add(ctx, "{", &th) < 0)
			return;
		rpc->struct_add(th, "dddss", "number", (int)s->number, "step", (int)s->step, "round",
				(int)s->round, "state", s->state, "at", s->at);
		rpc->struct_add(
				th, "ssss", "whom", s->whom, "how", s->how, "people", s->people, "why", s->why);
	}
}

const char *bmd_explain_doc[] = {
		"Whom an alert was escalated to, who answered, who comes next, and why: ALERT", 0};

void bmd_rpc_explain(rpc_t *rpc, void *ctx)
{
	static struct step_list list; /* large; one process does one thing at a time */
	struct bmd_plan_view plan;
	char word[64], reason[128];
	struct bmd_text alert;
	int code;

	list.count = 0;
	(void)bmd_scan_word(rpc, ctx, word, sizeof word, &alert);
	code = bmd_core_explain(alert, &plan, keep_step, &list, reason, sizeof reason);
	if(code != 200)
		rpc->fault(ctx, code, "%s", reason);
	else
		show_plan(rpc, ctx, &plan, &list);
}

const char *bmd_dry_run_doc[] = {
		"What would happen to an alert of a device: SERIAL [PRIORITY [AT]], by default high, now",
		0};

void bmd_rpc_dry_run(rpc_t *rpc, void *ctx)
{
	static struct step_list list;
	struct bmd_plan_view plan;
	char serial_word[64], priority_word[16], at_word[64], reason[128];
	struct bmd_text serial, priority, at;
	int code;

	list.count = 0;
	if(bmd_scan_name(rpc, ctx, "SERIAL", serial_word, sizeof serial_word, &serial) < 0)
		return;
	(void)bmd_scan_word(rpc, ctx, priority_word, sizeof priority_word, &priority);
	(void)bmd_scan_word(rpc, ctx, at_word, sizeof at_word, &at);
	code = bmd_core_dry_run(serial, priority, at, &plan, keep_step, &list, reason, sizeof reason);
	if(code != 200)
		rpc->fault(ctx, code, "%s", reason);
	else
		show_plan(rpc, ctx, &plan, &list);
}
