/*
 * bmd_rpc.c - RPC commands of module bmd
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Reads arguments, calls bmd_core.h, shows the answer.
 */
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/str.h"

#include <string.h>

#define MOST_SHOWN 1000

struct reply
{
	rpc_t *rpc;
	void *ctx;
	void *parent;
	size_t bytes; /* of a list so far, about */
	long shown;
};

/* kamcmd takes no reply of more than 128 KiB: of a longer list it would show nothing at all. */
#define MOST_BYTES ((size_t)120 * 1024)

static int fits(struct reply *reply, size_t fields, size_t text)
{
	const size_t overhead = 20; /* of a field: its name, types and lengths */

	if(reply->bytes + fields * overhead + text > MOST_BYTES)
		return 0;
	reply->bytes += fields * overhead + text;
	reply->shown++;
	return 1;
}

/* The last member of a list that is not complete. */
static void add_more(struct reply *reply, long all)
{
	void *th = NULL;

	if(all > reply->shown && reply->rpc->add(reply->ctx, "{", &th) >= 0)
		reply->rpc->struct_add(th, "d", "more", (int)(all - reply->shown));
}

static struct bmd_text text_of(const str *s)
{
	struct bmd_text text = {s->s, s->s == NULL ? 0 : (size_t)s->len};

	return text;
}

/* Numbers are taken as their digits, copied because the next one reuses the
 * buffer.  1 when there was one.  What is longer than the buffer fills it: whoever takes words of
 * people gives one longer than they may be. */
int bmd_scan_word(rpc_t *rpc, void *ctx, char *buffer, size_t size, struct bmd_text *word)
{
	str s = {NULL, 0};

	word->s = buffer;
	word->len = 0;
	if(rpc->scan(ctx, "*.S", &s) < 1 || s.s == NULL)
		return 0;
	word->len = (size_t)s.len < size ? (size_t)s.len : size;
	memcpy(buffer, s.s, word->len);
	return 1;
}

/* kamcmd makes a number of whatever looks like one: of 0012345 it leaves 12345, which may be
 * another device.  So what names a device or a person must be a string. */
int bmd_scan_name(
		rpc_t *rpc, void *ctx, const char *what, char *buffer, size_t size, struct bmd_text *word)
{
	str s = {NULL, 0};

	word->s = buffer;
	word->len = 0;
	if(rpc->scan(ctx, "*S", &s) == 1 && s.s != NULL) {
		word->len = (size_t)s.len < size ? (size_t)s.len : size;
		memcpy(buffer, s.s, word->len);
		return 1;
	}
	if(rpc->scan(ctx, "*.S", &s) < 1 || s.s == NULL)
		return 0;
	rpc->fault(ctx, 400,
			"%s came as a number, which may have lost digits: write s:%s, as in s:0012345", what,
			what);
	return -1;
}

int bmd_scan_end(rpc_t *rpc, void *ctx)
{
	str s = {NULL, 0};

	if(rpc->scan(ctx, "*.S", &s) < 1 || s.s == NULL)
		return 1;
	rpc->fault(ctx, 400, "Too many words: put what belongs together in quotation marks");
	return 0;
}

static const char *report_doc[] = {"Takes readings: COLLECTOR EPOCH SEQ READINGS for a batch of a "
								   "collector, or READINGS alone "
								   "(\"SERIAL METRIC=VALUE ...\") by hand",
		0};

static void show_receipt(rpc_t *rpc, void *ctx, const struct bmd_receipt *receipt)
{
	void *result = NULL;
	void *refused = NULL;
	int i;

	if(rpc->add(ctx, "{", &result) < 0
			|| rpc->struct_add(result, "djj", "code", receipt->code, "accepted", receipt->accepted,
					   "refused_count", receipt->refused_count)
					   < 0
			|| rpc->struct_add(result, "[", "refused", &refused) < 0) {
		rpc->fault(ctx, 500, "Cannot build the reply");
		return;
	}
	for(i = 0; i < receipt->refusals; i++)
		rpc->array_add(refused, "s", receipt->refused[i]);
	rpc->struct_add(result, "ds", "duplicate", receipt->duplicate, "durable", receipt->durable);
}

static void rpc_report(rpc_t *rpc, void *ctx)
{
	static struct bmd_receipt receipt; /* large; one process does one thing at a time */
	char first_word[64], epoch_word[32], seq_word[32];
	struct bmd_text collector = {NULL, 0}, epoch, seq;
	str first = {NULL, 0}, readings = {NULL, 0};

	if(rpc->scan(ctx, ".S", &first) < 1) {
		rpc->fault(ctx, 400, "Readings are missing");
		return;
	}
	readings = first;
	if((size_t)first.len < sizeof first_word) {
		memcpy(first_word, first.s, (size_t)first.len);
		collector.s = first_word;
		collector.len = (size_t)first.len;
	}
	if(bmd_scan_word(rpc, ctx, epoch_word, sizeof epoch_word, &epoch)) {
		if(!bmd_scan_word(rpc, ctx, seq_word, sizeof seq_word, &seq)
				|| rpc->scan(ctx, "S", &readings) < 1) {
			rpc->fault(ctx, 400, "Give READINGS, or COLLECTOR EPOCH SEQ READINGS");
			return;
		}
		if(collector.len == 0) {
			rpc->fault(ctx, 400, "The collector's name is empty or too long");
			return;
		}
	} else {
		collector.len = 0;
		seq = epoch;
	}
	bmd_core_report(collector, epoch, seq, text_of(&readings), &receipt);
	if(receipt.code != 200) {
		rpc->fault(ctx, receipt.code, "%s", receipt.reason);
		return;
	}
	show_receipt(rpc, ctx, &receipt);
}

static void add_device(const struct bmd_device_view *device, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;
	const size_t text = strlen(device->serial) + strlen(device->type) + strlen(device->location)
						+ strlen(device->patient) + strlen(device->last_heard);

	if(!fits(reply, 8, text) || reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "sssssddd", "serial", device->serial, "type", device->type,
			"location", device->location, "patient", device->patient, "last_heard",
			device->last_heard, "enabled", device->enabled, "stale", device->stale, "alerts",
			device->open_alerts);
	reply->parent = th;
}

static const char *devices_doc[] = {"Lists devices: [FIRST [COUNT]], by default the first 1000", 0};

static void rpc_devices(rpc_t *rpc, void *ctx)
{
	struct reply reply = {rpc, ctx, NULL, 0, 0};
	int first = 0, most = MOST_SHOWN;
	long all;

	if(rpc->scan(ctx, "*d", &first) == 1)
		(void)rpc->scan(ctx, "*d", &most);
	if(first < 0 || most < 1) {
		rpc->fault(ctx, 400, "FIRST counts from 0, COUNT from 1");
		return;
	}
	all = bmd_core_devices(first, most, add_device, &reply) - first;
	add_more(&reply, all < most ? all : most);
}

static void add_metric(const struct bmd_metric_view *metric, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;

	if(reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "sssssss", "metric", metric->name, "value", metric->value, "unit",
			metric->unit, "low", metric->low, "high", metric->high, "state", metric->state,
			"measured_at", metric->measured_at);
}

/* Metrics come before the device is known to exist, so they wait in a list of their own. */
struct metric_list
{
	struct bmd_metric_view *metrics;
	int count;
	int size;
};

static void keep_metric(const struct bmd_metric_view *metric, void *arg)
{
	struct metric_list *list = arg;

	if(list->count < list->size)
		list->metrics[list->count++] = *metric;
}

/* Who works on the device, if anybody does. */
static void add_window(struct reply *reply, const struct bmd_window_view *window)
{
	if(reply->parent != NULL && window->of[0] != '\0')
		reply->rpc->struct_add(reply->parent, "ssss", "maintenance", window->of,
				"maintenance_until", window->until, "maintenance_who", window->who,
				"maintenance_why", window->why);
}

static const char *device_doc[] = {"Shows a device, its last values and limits: SERIAL", 0};

static void rpc_device(rpc_t *rpc, void *ctx)
{
	static struct bmd_metric_view metrics[512];
	struct metric_list list = {metrics, 0, sizeof metrics / sizeof metrics[0]};
	struct bmd_device_view device;
	struct reply reply = {rpc, ctx, NULL, 0, 0};
	char word[64];
	struct bmd_text serial;
	int i;

	switch(bmd_scan_name(rpc, ctx, "SERIAL", word, sizeof word, &serial)) {
		case 0:
			rpc->fault(ctx, 400, "Serial number is missing");
			return;
		case -1:
			return;
	}
	if(!bmd_scan_end(rpc, ctx))
		return;
	if(!bmd_core_device(serial, &device, keep_metric, &list)) {
		rpc->fault(ctx, 404, "No such device is provisioned");
		return;
	}
	add_device(&device, &reply);
	if(reply.parent != NULL)
		rpc->struct_add(reply.parent, "s", "patient_address", device.patient_address);
	add_window(&reply, &device.window);
	for(i = 0; i < list.count; i++)
		add_metric(&list.metrics[i], &reply);
}

static void add_alert(const struct bmd_alert_view *a, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;
	/* what is not summed up is short */
	const size_t text = strlen(a->id) + strlen(a->serial) + strlen(a->type) + strlen(a->metric)
						+ strlen(a->location) + strlen(a->patient) + strlen(a->onset_at)
						+ strlen(a->raised_at) + strlen(a->changed_at) + strlen(a->answered_by)
						+ strlen(a->answered_at) + strlen(a->silenced_until) + 80;

	if(!fits(reply, 24, text) || reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "sssssssss", "id", a->id, "priority", a->priority, "state", a->state,
			"serial", a->serial, "type", a->type, "metric", a->metric, "condition", a->condition,
			"kind", a->kind, "value", a->value);
	reply->rpc->struct_add(th, "sssssss", "limit", a->limit, "unit", a->unit, "location",
			a->location, "patient", a->patient, "onset_at", a->onset_at, "raised_at", a->raised_at,
			"changed_at", a->changed_at);
	reply->rpc->struct_add(th, "ssssssds", "code", a->code, "response", a->response, "by",
			a->answered_by, "since", a->answered_at, "silenced_until", a->silenced_until,
			"suppressed", a->suppressed, "mutes", a->mutes, "priority_before", a->priority_before);
	reply->parent = th;
}

static const char *alerts_doc[] = {"Lists open alerts, newest first: [SERIAL]", 0};

static void rpc_alerts(rpc_t *rpc, void *ctx)
{
	struct reply reply = {rpc, ctx, NULL, 0, 0};
	char word[64];
	struct bmd_text serial;

	if(bmd_scan_name(rpc, ctx, "SERIAL", word, sizeof word, &serial) < 0 || !bmd_scan_end(rpc, ctx))
		return;
	add_more(&reply, bmd_core_alerts(serial, MOST_SHOWN, add_alert, &reply));
}

void bmd_add_reach(rpc_t *rpc, void *parent, const char *id)
{
	struct bmd_text alert = {id, strlen(id)};
	struct bmd_reach_view view;

	bmd_core_alert_reach(alert, &view);
	if(parent != NULL)
		rpc->struct_add(parent, "ss", "delivered_to", view.delivered_to, "seen_by", view.seen_by);
}

/* Of a storm: why, and which devices it tells of. */
static void add_storm(struct reply *reply, const struct bmd_alert_view *alert)
{
	char devices[20 * 34];
	struct bmd_text id = {alert->id, strlen(alert->id)};
	unsigned int more = 0;

	if(reply->parent != NULL && bmd_core_storm(id, devices, sizeof devices, &more))
		reply->rpc->struct_add(reply->parent, "ssd", "cause", alert->cause, "devices", devices,
				"more_devices", (int)more);
}

static const char *alert_doc[] = {"Shows one alert that is not closed: ID or CODE", 0};

static void rpc_alert(rpc_t *rpc, void *ctx)
{
	struct reply reply = {rpc, ctx, NULL, 0, 0};
	struct bmd_alert_view alert;
	char word[64];
	struct bmd_text id;

	(void)bmd_scan_word(rpc, ctx, word, sizeof word, &id);
	switch(bmd_core_alert(id, &alert)) {
		case 1:
			add_alert(&alert, &reply);
			if(reply.parent != NULL)
				rpc->struct_add(reply.parent, "sssdsds", "patient_address", alert.patient_address,
						"measured_at", alert.measured_at, "arrived_at", alert.arrived_at,
						"revision", (int)alert.revision, "outcome", alert.outcome, "step",
						alert.step, "cleared_at", alert.cleared_at);
			bmd_add_reach(rpc, reply.parent, alert.id);
			add_window(&reply, &alert.window);
			add_storm(&reply, &alert);
			return;
		case 0:
			rpc->fault(ctx, 404, "No alert has this id or code that is not closed");
			return;
		default:
			rpc->fault(ctx, 400,
					"Give the id (a UUID) or the code (5 characters) that bmd.alerts shows");
	}
}

static const char *stats_doc[] = {"Shows every counter of the module", 0};

static void rpc_stats(rpc_t *rpc, void *ctx)
{
	void *th = NULL;
	int i;

	if(rpc->add(ctx, "{", &th) < 0) {
		rpc->fault(ctx, 500, "Cannot build the reply");
		return;
	}
	for(i = 0; i < bmd_core_stats(); i++)
		rpc->struct_add(th, "j", bmd_core_stat_name(i), bmd_core_stat(i));
}

/* clang-format off */
rpc_export_t bmd_rpc_cmds[] = {
	{"bmd.report",  rpc_report,  report_doc,  0},
	{"bmd.devices", rpc_devices, devices_doc, RET_ARRAY},
	{"bmd.device",  rpc_device,  device_doc,  RET_ARRAY},
	{"bmd.alerts",  rpc_alerts,  alerts_doc,  RET_ARRAY},
	{"bmd.alert",   rpc_alert,   alert_doc,   0},
	{"bmd.stats",   rpc_stats,   stats_doc,   0},
	{"bmd.oncall",  bmd_rpc_oncall,  bmd_oncall_doc,  RET_ARRAY},
	{"bmd.explain", bmd_rpc_explain, bmd_explain_doc, RET_ARRAY},
	{"bmd.dry-run", bmd_rpc_dry_run, bmd_dry_run_doc, RET_ARRAY},
	{"bmd.watcher", bmd_rpc_watcher, bmd_watcher_doc, RET_ARRAY},
	{"bmd.encryption", bmd_rpc_encryption, bmd_encryption_doc, RET_ARRAY},
	{"bmd.policy",  bmd_rpc_policy,  bmd_policy_doc,  RET_ARRAY},
	{"bmd.pending", bmd_rpc_pending, bmd_pending_doc, RET_ARRAY},
	{"bmd.approve", bmd_rpc_approve, bmd_approve_doc, 0},
	{"bmd.refuse",  bmd_rpc_refuse,  bmd_refuse_doc,  0},
	{0, 0, 0, 0}
};
/* clang-format on */
