/*
 * bmd_mod.c - exports and parameters of module bmd
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A table to read; what the parameters mean stands in README.md.
 */
#include "bmd_host.h"
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/dprint.h"
#include "core/mod_fix.h"

MODULE_VERSION

static int mod_init(void);
static int child_init(int rank);
static void destroy(void);

static char *db_url = "";
static char *domain = "";
static char *node = "default";
static int devices = 10000;
static int alerts = 0;
static int alert_events = 0;
static int feeds = 20000;
static int metrics = 0;
static int members = 0;
static int rules = 0;
static int texts = 0;
static int groups = 0;
static int journal_mb = 32;
static int notifiers = 1;
static int subscriptions = 20000;
static int subscriptions_per_person = 64;
static int memory_reserve = 8;
static int recipients = 0;
static int reached = 0;
static int duty_kb = 1024;
static int filter_kb = 4096;
static int assigned_only = 0;
static int initialised = 0;

/* clang-format off */
static cmd_export_t cmds[] = {
	{"bmd_check_request", (cmd_function)bmd_script_check_request, 0, 0, 0, ANY_ROUTE},
	{"bmd_check_request", (cmd_function)bmd_script_check_request, 1, fixup_spve_null, 0, ANY_ROUTE},
	{"bmd_check_headers", (cmd_function)bmd_script_check_headers, 0, 0, 0, ANY_ROUTE},
	{"bmd_kept_connection", (cmd_function)bmd_script_kept_connection, 0, 0, 0, ANY_ROUTE},
	{"bmd_refuse_collector", (cmd_function)bmd_script_refuse_collector, 1, fixup_spve_null, 0,
		ANY_ROUTE},
	{"bmd_www_authenticate", (cmd_function)bmd_www_authenticate, 1, bmd_auth_fixup, 0,
		REQUEST_ROUTE},
	{"bmd_certificate_of", (cmd_function)bmd_certificate_of, 1, fixup_spve_null, 0, REQUEST_ROUTE},
	{"bmd_www_challenge", (cmd_function)bmd_www_challenge, 2, bmd_auth_fixup, 0, REQUEST_ROUTE},
	{"bmd_encryption", (cmd_function)bmd_script_encryption, 2, fixup_spve_pvar,
		fixup_free_spve_pvar, ANY_ROUTE},
	{"bmd_sent_encrypted", (cmd_function)bmd_script_sent_encrypted, 1, fixup_spve_null,
		fixup_free_spve_null, ANY_ROUTE},
	{"bind_bmd", (cmd_function)bind_bmd, 1, 0, 0, 0},
	{0, 0, 0, 0, 0, 0}
};

static param_export_t params[] = {
	{"db_url",     PARAM_STRING, &db_url},
	{"domain",     PARAM_STRING, &domain},
	{"node",       PARAM_STRING, &node},
	{"devices",    PARAM_INT,    &devices},
	{"alerts",     PARAM_INT,    &alerts},
	{"alert_events", PARAM_INT,  &alert_events},
	{"feeds",      PARAM_INT,    &feeds},
	{"metrics",    PARAM_INT,    &metrics},
	{"members",    PARAM_INT,    &members},
	{"rules",      PARAM_INT,    &rules},
	{"texts",      PARAM_INT,    &texts},
	{"groups",     PARAM_INT,    &groups},
	{"journal_mb", PARAM_INT,    &journal_mb},
	{"notifiers",  PARAM_INT,    &notifiers},
	{"subscriptions", PARAM_INT, &subscriptions},
	{"subscriptions_per_person", PARAM_INT, &subscriptions_per_person},
	{"memory_reserve", PARAM_INT, &memory_reserve},
	{"recipients", PARAM_INT,    &recipients},
	{"reached",    PARAM_INT,    &reached},
	{"duty_kb",    PARAM_INT,    &duty_kb},
	{"filter_kb",  PARAM_INT,    &filter_kb},
	{"assigned_only", PARAM_INT, &assigned_only},
	{0, 0, 0}
};

BMD_EXPORTED struct module_exports exports = {
	.name = "bmd",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = cmds,
	.params = params,
	.init_mod_f = mod_init,
	.init_child_f = child_init,
	.destroy_mod_f = destroy
};
/* clang-format on */

static int check_parameters(void)
{
	if(*db_url == '\0' || *domain == '\0' || *node == '\0') {
		LM_ERR("the parameters db_url, domain and node must not be empty\n");
		return -1;
	}
	if(devices < 1 || feeds < 1 || journal_mb < 1) {
		LM_ERR("devices, feeds and journal_mb must be at least 1\n");
		return -1;
	}
	if(journal_mb < 8) /* for trials */
		LM_WARN("journal_mb is %d: a batch larger than half of it is refused for good; a "
				"collector's "
				"largest take 8\n",
				journal_mb);
	if(alerts < 0 || metrics < 0 || members < 0 || rules < 0 || texts < 0 || groups < 0) {
		LM_ERR("alerts, metrics, members, rules, texts and groups must be 0 (the default) or "
			   "more\n");
		return -1;
	}
	if(subscriptions < 1) {
		LM_ERR("subscriptions is %d: it must be at least 1\n", subscriptions);
		return -1;
	}
	if(memory_reserve < 0 || memory_reserve > 65536) {
		LM_ERR("memory_reserve is %d MiB: 0 to 65536 are possible\n", memory_reserve);
		return -1;
	}
	if(recipients < 0 || reached < 0 || duty_kb < 1 || filter_kb < 1) {
		LM_ERR("recipients and reached must be 0 (the default) or more, duty_kb and filter_kb at "
			   "least 1\n");
		return -1;
	}
	if(alert_events != 0 && (alert_events < 1024 || alert_events > 1000000)) {
		LM_ERR("alert_events is %d: 0 or 1024 to 1000000 are possible\n", alert_events);
		return -1;
	}
	if(notifiers < 1 || notifiers > 16) {
		LM_ERR("notifiers is %d: 1 to 16 are possible\n", notifiers);
		return -1;
	}
	return 0;
}

static int mod_init(void)
{
	char error[256];
	struct bmd_config config = {.db_url = db_url,
			.domain = domain,
			.node = node,
			.devices = devices,
			.alerts = alerts,
			.alert_events = alert_events,
			.feeds = feeds,
			.metrics = metrics,
			.members = members,
			.rules = rules,
			.texts = texts,
			.groups = groups,
			.journal_mb = journal_mb,
			.notifiers = notifiers,
			.subscriptions = subscriptions,
			.subscriptions_per_person = subscriptions_per_person,
			.memory_reserve = memory_reserve,
			.recipients = recipients,
			.reached = reached,
			.duty_kb = duty_kb,
			.filter_kb = filter_kb,
			.assigned_only = assigned_only};

	if(check_parameters() < 0)
		return -1;
	if(bmd_core_init(&config, error, sizeof error) < 0) {
		LM_ERR("%s\n", error);
		return -1;
	}
	if(register_module_stats("bmd", bmd_stats) < 0) {
		LM_ERR("cannot register the statistics\n");
		return -1;
	}
	if(rpc_register_array(bmd_rpc_cmds) != 0 || rpc_register_array(bmd_answer_rpc_cmds) != 0) {
		LM_ERR("cannot register the RPC commands\n");
		return -1;
	}
	if(bmd_quiet_init() < 0) {
		LM_ERR("cannot follow what comes from the network\n");
		return -1;
	}
	bmd_announce_processes();
	initialised = 1;
	return 0;
}

static int check_memory_left(void)
{
	size_t left = bmd_host_shm_left() >> 20;

	if(left >= (size_t)memory_reserve)
		return 0;
	LM_ERR("shared memory does not suffice: %lu MiB are left of it, and memory_reserve is %d; "
		   "start kamailio with a "
		   "larger -m\n",
			(unsigned long)left, memory_reserve);
	return -1;
}

static int child_init(int rank)
{
	switch(rank) {
		case PROC_INIT: /* before the first fork, after every mod_init */
			bmd_know_main_process();
			return check_memory_left();
		case PROC_MAIN:
			return bmd_fork_processes();
		default:
			return bmd_die_with_main_process();
	}
}

/* In the main process, when all others have ended: what still waits goes to the database. */
static void destroy(void)
{
	if(!initialised)
		return;
	bmd_free_locks_at_end();
	if(bmd_core_flush() < 0)
		LM_WARN("not everything could be written to the database before the end; collectors will "
				"send again what is not\n");
}
