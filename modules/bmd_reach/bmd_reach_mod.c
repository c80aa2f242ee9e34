/*
 * bmd_reach_mod.c - exports and parameters of module bmd_reach, and its process
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A table to read; what is told to whom is decided in the C++.
 */
#include "bmd_kamailio.h"
#include "call_shim.h"
#include "core/cfg/cfg_struct.h"
#include "core/mem/shm_mem.h"
#include "core/pt.h"
#include "core/timer_proc.h"
#include "reach_shim.h"

#include <stdio.h>
#include <string.h>

MODULE_VERSION

static int mod_init(void);
static int child_init(int rank);

bmd_api_t reach_bmd;
struct tm_binds reach_tm;
usrloc_api_t reach_usrloc;
str reach_sender = {NULL, 0};

/* clang-format off */
static param_export_t params[] = {
	{"sender", PARAM_STR, &reach_sender},
	{"announcement_uri", PARAM_STR, &reach_announcement_uri},
	{"call_hold", PARAM_INT, &reach_call_hold},
	{"call_limit", PARAM_INT, &reach_call_limit},
	{"call_socket", PARAM_STR, &reach_call_socket},
	{"calls", PARAM_INT, &reach_calls},
	{0, 0, 0}
};

BMD_EXPORTED struct module_exports exports = {
	.name = "bmd_reach",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = reach_call_cmds,
	.params = params,
	.init_mod_f = mod_init,
	.init_child_f = child_init
};
/* clang-format on */

static int settle_sender(void)
{
	static char uri[256];
	struct bmd_text domain = reach_bmd.domain();
	struct sip_uri parsed;

	if(reach_sender.len == 0) {
		reach_sender.s = uri;
		reach_sender.len = snprintf(uri, sizeof uri, "sip:alert@%.*s", (int)domain.len, domain.s);
	}
	if(reach_sender.len >= (int)sizeof uri
			|| parse_uri(reach_sender.s, reach_sender.len, &parsed) < 0) {
		LM_ERR("sender is no SIP URI of at most 255 bytes\n");
		return -1;
	}
	return 0;
}

static int bind_modules(void)
{
	bind_usrloc_t bind_usrloc = (bind_usrloc_t)find_export("ul_bind_usrloc", 1, 0);

	if(bmd_load_api(&reach_bmd) < 0) {
		LM_ERR("load bmd.so before bmd_reach.so\n");
		return -1;
	}
	if(load_tm_api(&reach_tm) < 0) {
		LM_ERR("tm.so must be loaded\n");
		return -1;
	}
	if(bind_usrloc == NULL || bind_usrloc(&reach_usrloc) < 0) {
		LM_ERR("load usrloc.so before bmd_reach.so\n");
		return -1;
	}
	return 0;
}

static int mod_init(void)
{
	void *memory;

	if(bind_modules() < 0 || settle_sender() < 0 || reach_watch_registrations() < 0
			|| reach_calls_init() < 0)
		return -1;
	memory = shm_malloc(reach_core_memory());
	if(memory == NULL) {
		SHM_MEM_ERROR;
		return -1;
	}
	memset(memory, 0, reach_core_memory());
	reach_core_init(&reach_bmd, memory);
	reach_bmd.take_tasks();
	register_procs(1);
	cfg_register_child(1);
	return 0;
}

static int child_init(int rank)
{
	int pid;

	if(rank != PROC_MAIN)
		return 0;
	pid = fork_process(PROC_UNIXSOCK, "BMD reach", 1);
	if(pid < 0) {
		LM_ERR("cannot fork the process \"BMD reach\"\n");
		return -1;
	}
	if(pid > 0)
		return 0;
	if(cfg_child_init() < 0)
		exit(1);
	for(;;) {
		cfg_update();
		reach_round();
		reach_calls_round();
	}
}

void reach_log_error(const char *text)
{
	LM_ERR("%s\n", text);
}
