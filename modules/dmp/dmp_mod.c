/*
 * dmp_mod.c - exports and parameters of module dmp
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A table to read; what a document or a text means is decided in modules/common and in the C++.
 */
#include "bmd_kamailio.h"
#include "core/dprint.h"
#include "core/mem/shm_mem.h"
#include "core/mod_fix.h"
#include "dmp_shim.h"

#include <stdio.h>
#include <string.h>

MODULE_VERSION

static int mod_init(void);
static int script_handle_message(struct sip_msg *msg, char *user, char *unused);
static int script_answered_before(struct sip_msg *msg, char *unused1, char *unused2);
static int script_validate(struct sip_msg *msg, char *unused1, char *unused2);

bmd_api_t dmp_bmd;
sl_api_t dmp_sl;
struct tm_binds dmp_tm;
str dmp_sender = {NULL, 0};

/* clang-format off */
static cmd_export_t cmds[] = {
	{"dmp_handle_message", (cmd_function)script_handle_message, 1, fixup_spve_null,
		fixup_free_spve_null, REQUEST_ROUTE},
	{"dmp_answered_before", (cmd_function)script_answered_before, 0, 0, 0, REQUEST_ROUTE},
	{"dmp_validate", (cmd_function)script_validate, 0, 0, 0, ANY_ROUTE},
	{0, 0, 0, 0, 0, 0}
};

static param_export_t params[] = {
	{"sender", PARAM_STR, &dmp_sender},
	{0, 0, 0}
};

static pv_export_t pvs[] = {
	{{"dmp", sizeof("dmp") - 1}, PVT_OTHER, dmp_pv_get, 0, dmp_pv_parse_name, 0, 0, 0},
	{{0, 0}, 0, 0, 0, 0, 0, 0, 0}
};

BMD_EXPORTED struct module_exports exports = {
	.name = "dmp",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = cmds,
	.params = params,
	.pv_items = pvs,
	.init_mod_f = mod_init
};
/* clang-format on */

static int settle_sender(void)
{
	static char uri[256];
	str alert = str_init("alert");
	struct bmd_text domain = dmp_bmd.domain();
	struct sip_uri parsed;

	if(dmp_sender.len == 0)
		dmp_sender = alert;
	if(memchr(dmp_sender.s, ':', (size_t)dmp_sender.len) == NULL) {
		dmp_sender.len = snprintf(uri, sizeof uri, "sip:%.*s@%.*s", dmp_sender.len, dmp_sender.s,
				(int)domain.len, domain.s);
		dmp_sender.s = uri;
	}
	if(dmp_sender.len >= (int)sizeof uri || parse_uri(dmp_sender.s, dmp_sender.len, &parsed) < 0) {
		LM_ERR("sender is no user name and no SIP URI of at most 255 bytes\n");
		return -1;
	}
	return 0;
}

static int mod_init(void)
{
	void *memory;

	if(bmd_load_api(&dmp_bmd) < 0) {
		LM_ERR("load bmd.so before dmp.so\n");
		return -1;
	}
	if(sl_load_api(&dmp_sl) < 0 || load_tm_api(&dmp_tm) < 0) {
		LM_ERR("sl.so and tm.so must be loaded\n");
		return -1;
	}
	if(settle_sender() < 0)
		return -1;
	memory = shm_malloc(dmp_core_memory());
	if(memory == NULL) {
		SHM_MEM_ERROR;
		return -1;
	}
	memset(memory, 0, dmp_core_memory());
	dmp_core_init(&dmp_bmd, memory);
	if(register_module_stats("dmp", dmp_stats) < 0) {
		LM_ERR("cannot register the statistics\n");
		return -1;
	}
	return 0;
}

static int script_handle_message(struct sip_msg *msg, char *user, char *unused)
{
	str name = {NULL, 0};

	(void)unused;
	if(fixup_get_svalue(msg, (gparam_t *)user, &name) < 0 || name.len <= 0) {
		LM_ERR("no authenticated user given: authenticate before dmp_handle_message()\n");
		return -1;
	}
	return dmp_handle_message(msg, &name);
}

static int script_answered_before(struct sip_msg *msg, char *unused1, char *unused2)
{
	(void)unused1;
	(void)unused2;
	return dmp_answered_before(msg);
}

static int script_validate(struct sip_msg *msg, char *unused1, char *unused2)
{
	(void)unused1;
	(void)unused2;
	return dmp_validate(msg);
}

#define STAT(number)                         \
	static unsigned long stat_##number(void) \
	{                                        \
		return dmp_core_counter(number);     \
	}
STAT(DMP_CONTROLS)
STAT(DMP_QUERIES)
STAT(DMP_TEXTS)
STAT(DMP_REFUSED)
STAT(DMP_MALFORMED)
STAT(DMP_LOST)
STAT(DMP_REPEATED)

/* clang-format off */
stat_export_t dmp_stats[] = {
	{"controls",       STAT_IS_FUNC, (stat_var **)stat_DMP_CONTROLS},
	{"queries",        STAT_IS_FUNC, (stat_var **)stat_DMP_QUERIES},
	{"texts",          STAT_IS_FUNC, (stat_var **)stat_DMP_TEXTS},
	{"refused",        STAT_IS_FUNC, (stat_var **)stat_DMP_REFUSED},
	{"malformed",      STAT_IS_FUNC, (stat_var **)stat_DMP_MALFORMED},
	{"responses_lost", STAT_IS_FUNC, (stat_var **)stat_DMP_LOST},
	{"repeated",       STAT_IS_FUNC, (stat_var **)stat_DMP_REPEATED},
	{0, 0, 0}
};
/* clang-format on */
