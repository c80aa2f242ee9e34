/*
 * smime_mod.c - exports and parameters of module smime
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A table to read; what is signed and encrypted, and how, is decided in the C++.
 */
#include "bmd_kamailio.h"
#include "core/dprint.h"
#include "core/mem/shm_mem.h"
#include "core/mod_fix.h"
#include "core/rpc_lookup.h"
#include "smime_shim.h"

#include <string.h>

MODULE_VERSION

static int mod_init(void);
static int child_init(int rank);
static int script_sign(struct sip_msg *msg, char *what, char *unused);
static int script_encrypt(struct sip_msg *msg, char *certificate, char *unused);
static int script_usable(struct sip_msg *msg, char *certificate, char *unused);
static int script_peer(struct sip_msg *msg, char *certificate, char *unused);
static int script_say(struct sip_msg *msg, char *text, char *unused);
static int script_decrypt(struct sip_msg *msg, char *unused1, char *unused2);
static int script_verify(struct sip_msg *msg, char *identity, char *unused);
static int script_is_signed(struct sip_msg *msg, char *unused1, char *unused2);
static int script_is_encrypted(struct sip_msg *msg, char *unused1, char *unused2);

struct smime_settings smime_files = {"", "", "", "", 0};
struct smime_settings smime_peer_files = {"", "", "", "", 0};
unsigned int *smime_generation = NULL;
static char *transfer_encoding = "binary";

/* clang-format off */
static cmd_export_t cmds[] = {
	{"smime_sign", (cmd_function)script_sign, 0, 0, 0, ANY_ROUTE},
	{"smime_sign", (cmd_function)script_sign, 1, fixup_spve_null, fixup_free_spve_null, ANY_ROUTE},
	{"smime_encrypt", (cmd_function)script_encrypt, 1, fixup_spve_null, fixup_free_spve_null,
		ANY_ROUTE},
	{"smime_usable", (cmd_function)script_usable, 1, fixup_spve_null, fixup_free_spve_null,
		ANY_ROUTE},
	{"smime_peer", (cmd_function)script_peer, 1, fixup_spve_null, fixup_free_spve_null, ANY_ROUTE},
	{"smime_say", (cmd_function)script_say, 1, fixup_spve_null, fixup_free_spve_null, ANY_ROUTE},
	{"smime_decrypt", (cmd_function)script_decrypt, 0, 0, 0, REQUEST_ROUTE},
	{"smime_verify", (cmd_function)script_verify, 1, fixup_spve_null, fixup_free_spve_null,
		REQUEST_ROUTE},
	{"smime_is_signed", (cmd_function)script_is_signed, 0, 0, 0, ANY_ROUTE},
	{"smime_is_encrypted", (cmd_function)script_is_encrypted, 0, 0, 0, ANY_ROUTE},
	{0, 0, 0, 0, 0, 0}
};

static param_export_t params[] = {
	{"certificate_file",  PARAM_STRING, &smime_files.certificate},
	{"key_file",          PARAM_STRING, &smime_files.key},
	{"ca_file",           PARAM_STRING, &smime_files.ca},
	{"crl_file",          PARAM_STRING, &smime_files.crl},
	{"peer_ca_file",      PARAM_STRING, &smime_peer_files.ca},
	{"peer_crl_file",     PARAM_STRING, &smime_peer_files.crl},
	{"transfer_encoding", PARAM_STRING, &transfer_encoding},
	{0, 0, 0}
};

static pv_export_t pvs[] = {
	{{"smime", sizeof("smime") - 1}, PVT_OTHER, smime_pv_get, 0, smime_pv_parse_name, 0, 0, 0},
	{{0, 0}, 0, 0, 0, 0, 0, 0, 0}
};

BMD_EXPORTED struct module_exports exports = {
	.name = "smime",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = cmds,
	.params = params,
	.pv_items = pvs,
	.init_mod_f = mod_init,
	.init_child_f = child_init
};
/* clang-format on */

static int check_files(void)
{
	char reason[512];

	if(smime_core_check(&smime_files, reason, sizeof reason) == 0
			&& smime_core_check(&smime_peer_files, reason, sizeof reason) == 0)
		return 0;
	LM_ERR("%s\n", reason);
	return -1;
}

static int check_parameters(void)
{
	if(strcmp(transfer_encoding, "binary") != 0 && strcmp(transfer_encoding, "base64") != 0) {
		LM_ERR("transfer_encoding is \"%s\": binary or base64 are possible\n", transfer_encoding);
		return -1;
	}
	smime_files.base64 = strcmp(transfer_encoding, "base64") == 0;
	if(*smime_files.crl != '\0' && *smime_files.ca == '\0') {
		LM_ERR("crl_file needs ca_file\n");
		return -1;
	}
	if(*smime_peer_files.crl != '\0' && *smime_peer_files.ca == '\0') {
		LM_ERR("peer_crl_file needs peer_ca_file\n");
		return -1;
	}
	return check_files();
}

static int mod_init(void)
{
	if(check_parameters() < 0)
		return -1;
	smime_generation = shm_malloc(sizeof *smime_generation);
	if(smime_generation == NULL) {
		SHM_MEM_ERROR;
		return -1;
	}
	*smime_generation = 0;
	smime_core_init(&smime_files, &smime_peer_files);
	if(register_module_stats("smime", smime_stats) < 0) {
		LM_ERR("cannot register the statistics\n");
		return -1;
	}
	if(rpc_register_array(smime_rpc_cmds) != 0) {
		LM_ERR("cannot register the RPC commands\n");
		return -1;
	}
	return 0;
}

/* PROC_INIT: all modules are there, tls among them, and no process has been forked yet; files are
 * read as the user that Kamailio runs as from now on. */
static int child_init(int rank)
{
	if(rank != PROC_INIT)
		return 0;
	smime_core_own_random();
	if(check_files() < 0)
		return -1;
	smime_core_forget_thread();
	return 0;
}

static int argument(struct sip_msg *msg, char *parameter, str *value)
{
	if(fixup_get_svalue(msg, (gparam_t *)parameter, value) >= 0)
		return 0;
	LM_ERR("an argument has no value\n");
	return -1;
}

static int script_sign(struct sip_msg *msg, char *what, char *unused)
{
	str value = {NULL, 0};

	(void)unused;
	if(what == NULL)
		return smime_sign(msg, 1);
	if(argument(msg, what, &value) < 0)
		return -1;
	if(value.len == 7 && memcmp(value.s, "headers", 7) == 0)
		return smime_sign(msg, 0);
	LM_ERR("smime_sign(\"%.*s\"): only \"headers\" is possible\n", value.len, value.s);
	return -1;
}

static int script_encrypt(struct sip_msg *msg, char *certificate, char *unused)
{
	str value = {NULL, 0};

	(void)unused;
	return argument(msg, certificate, &value) < 0 ? -1 : smime_encrypt(msg, &value);
}

static int script_usable(struct sip_msg *msg, char *certificate, char *unused)
{
	str value = {NULL, 0};

	(void)unused;
	return argument(msg, certificate, &value) < 0 ? -1 : smime_usable(msg, &value);
}

static int script_peer(struct sip_msg *msg, char *certificate, char *unused)
{
	str value = {NULL, 0};

	(void)unused;
	return argument(msg, certificate, &value) < 0 ? -1 : smime_peer(msg, &value);
}

static int script_say(struct sip_msg *msg, char *text, char *unused)
{
	str value = {NULL, 0};

	(void)unused;
	return argument(msg, text, &value) < 0 ? -1 : smime_say(msg, &value);
}

static int script_decrypt(struct sip_msg *msg, char *unused1, char *unused2)
{
	(void)unused1;
	(void)unused2;
	return smime_decrypt(msg);
}

static int script_verify(struct sip_msg *msg, char *identity, char *unused)
{
	str value = {NULL, 0};

	(void)unused;
	return argument(msg, identity, &value) < 0 ? -1 : smime_verify(msg, &value);
}

static int script_is_signed(struct sip_msg *msg, char *unused1, char *unused2)
{
	(void)unused1;
	(void)unused2;
	return smime_is_signed(msg);
}

static int script_is_encrypted(struct sip_msg *msg, char *unused1, char *unused2)
{
	(void)unused1;
	(void)unused2;
	return smime_is_encrypted(msg);
}
