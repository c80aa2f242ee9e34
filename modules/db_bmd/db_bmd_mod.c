/*
 * db_bmd_mod.c - the database scheme "bmd": db_postgres, but nobody waits for what is written
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Reading is db_postgres's, connection by connection.  What presence and usrloc write is handed to
 * bmd, whose process writes it.
 */
#include "bmd_kamailio.h"
#include "db_bmd.h"

MODULE_VERSION

static int mod_init(void);

bmd_api_t db_bmd_core;

/* clang-format off */
static cmd_export_t cmds[] = {
	{"db_bind_api", (cmd_function)db_bmd_bind_api, 0, 0, 0, 0},
	{0, 0, 0, 0, 0, 0}
};

BMD_EXPORTED struct module_exports exports = {
	.name = "db_bmd",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = cmds,
	.init_mod_f = mod_init
};
/* clang-format on */

static int mod_init(void)
{
	if(bmd_load_api(&db_bmd_core) < 0) {
		LM_ERR("load bmd.so before db_bmd.so\n");
		return -1;
	}
	return 0;
}
