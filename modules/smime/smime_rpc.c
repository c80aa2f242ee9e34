/*
 * smime_rpc.c - RPC command and statistics of module smime
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_kamailio.h"
#include "core/dprint.h"
#include "smime_shim.h"

stat_var *smime_signed, *smime_encrypted, *smime_decrypted, *smime_verified, *smime_refused,
		*smime_peers_refused;

static const char *reload_doc[] = {
		"Read the files of certificates, key, authorities and revoked ones again", 0};

static void rpc_reload(rpc_t *rpc, void *ctx)
{
	char reason[512];

	if(smime_core_check(&smime_files, reason, sizeof reason) < 0) {
		rpc->fault(ctx, 500, "%s", reason);
		return;
	}
	__atomic_add_fetch(smime_generation, 1, __ATOMIC_SEQ_CST);
	LM_NOTICE("the files of certificates are read again\n");
}

/* clang-format off */
rpc_export_t smime_rpc_cmds[] = {
	{"smime.reload", rpc_reload, reload_doc, 0},
	{0, 0, 0, 0}
};

stat_export_t smime_stats[] = {
	{"signed",    0, &smime_signed},
	{"encrypted", 0, &smime_encrypted},
	{"decrypted", 0, &smime_decrypted},
	{"verified",  0, &smime_verified},
	{"refused",   0, &smime_refused},
	{"peers_refused", 0, &smime_peers_refused},
	{0, 0, 0}
};
/* clang-format on */
