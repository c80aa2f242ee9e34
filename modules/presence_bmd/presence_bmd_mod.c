/*
 * presence_bmd_mod.c - register the "bmd-alert" event with presence, run the notifiers
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Glue only: bodies are built in bmd, subscriptions are presence's.
 */
#include "bmd_kamailio.h"
#include "core/cfg/cfg_struct.h"
#include "core/mod_fix.h"
#include "core/pt.h"
#include "core/timer_proc.h"
#include "pbmd.h"

#include <stdio.h>

MODULE_VERSION

static int mod_init(void);
static int child_init(int rank);
static int script_handle_subscribe(struct sip_msg *msg, char *user, char *unused);
static int script_show_feed(struct sip_msg *msg, char *unused1, char *unused2);
static int script_withhold(struct sip_msg *msg, char *user, char *reason);

bmd_api_t pbmd_bmd;
presence_api_t pbmd_presence;
sl_api_t pbmd_sl;
struct tm_binds pbmd_tm;
str pbmd_event_name = str_init(PBMD_EVENT);
int pbmd_default_expires = 3600;
int *pbmd_max_expires = NULL;

/* clang-format off */
static cmd_export_t cmds[] = {
	{"bmd_handle_subscribe", (cmd_function)script_handle_subscribe, 1, fixup_spve_null,
		fixup_free_spve_null, REQUEST_ROUTE},
	{"bmd_show_feed", (cmd_function)script_show_feed, 0, 0, 0, ANY_ROUTE},
	{"bmd_withhold", (cmd_function)script_withhold, 2, fixup_spve_spve, fixup_free_spve_spve,
		ANY_ROUTE},
	{0, 0, 0, 0, 0, 0}
};

static param_export_t params[] = {
	{"default_expires", PARAM_INT, &pbmd_default_expires},
	{0, 0, 0}
};

BMD_EXPORTED struct module_exports exports = {
	.name = "presence_bmd",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = cmds,
	.params = params,
	.init_mod_f = mod_init,
	.init_child_f = child_init
};
/* clang-format on */

static int mod_init(void)
{
	pres_ev_t event;
	modparam_t type;

	if(pbmd_default_expires < 1) {
		LM_ERR("default_expires is %d: it must be at least 1\n", pbmd_default_expires);
		return -1;
	}
	if(bmd_load_api(&pbmd_bmd) < 0) {
		LM_ERR("load bmd.so before presence.so, and that before presence_bmd.so\n");
		return -1;
	}
	if(presence_load_api(&pbmd_presence) < 0 || sl_load_api(&pbmd_sl) < 0
			|| load_tm_api(&pbmd_tm) < 0) {
		LM_ERR("presence.so, sl.so and tm.so must be loaded\n");
		return -1;
	}
	pbmd_max_expires =
			find_param_export(find_module_by_name("presence"), "max_expires", PARAM_INT, &type);
	if(pbmd_max_expires == NULL) {
		LM_ERR("presence has no parameter max_expires\n");
		return -1;
	}
	if(pbmd_watch_notifies() < 0) {
		LM_ERR("tm does not tell of requests\n");
		return -1;
	}
	event = pbmd_event(pbmd_default_expires);
	if(pbmd_presence.add_event(&event) < 0 || pbmd_add_winfo(pbmd_default_expires) < 0) {
		LM_ERR("cannot register the event packages\n");
		return -1;
	}
	register_procs(pbmd_bmd.notifiers);
	cfg_register_child(pbmd_bmd.notifiers);
	return 0;
}

static void run_notifier(int slot)
{
	for(;;) {
		cfg_update();
		pbmd_bmd.notifier_round(slot, pbmd_send_document);
	}
}

static int child_init(int rank)
{
	int i;

	if(rank != PROC_MAIN)
		return 0;
	for(i = 0; i < pbmd_bmd.notifiers; i++) {
		char name[32];
		int pid;

		snprintf(name, sizeof name, "BMD notifier %d", i);
		pid = fork_process(PROC_UNIXSOCK, name, 1);
		if(pid < 0) {
			LM_ERR("cannot fork a notifier\n");
			return -1;
		}
		if(pid == 0) {
			if(cfg_child_init() < 0)
				exit(1);
			run_notifier(i);
		}
	}
	return 0;
}

static int script_handle_subscribe(struct sip_msg *msg, char *user, char *unused)
{
	str name = {NULL, 0};

	(void)unused;
	if(fixup_get_svalue(msg, (gparam_t *)user, &name) < 0 || name.len <= 0) {
		LM_ERR("no authenticated user given: authenticate before bmd_handle_subscribe()\n");
		return -1;
	}
	return pbmd_handle_subscribe(msg, &name);
}

static int script_show_feed(struct sip_msg *msg, char *unused1, char *unused2)
{
	(void)unused1;
	(void)unused2;
	return pbmd_show_feed(msg);
}

static int script_withhold(struct sip_msg *msg, char *user, char *reason)
{
	str name = {NULL, 0}, why = {NULL, 0};

	if(fixup_get_svalue(msg, (gparam_t *)user, &name) < 0
			|| fixup_get_svalue(msg, (gparam_t *)reason, &why) < 0) {
		LM_ERR("bmd_withhold() wants a person and a reason\n");
		return -1;
	}
	return pbmd_withhold(msg, &name, &why);
}
