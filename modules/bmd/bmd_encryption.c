/*
 * bmd_encryption.c - whose documents are encrypted, for the routing script and for kamcmd
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_core_encryption.h"
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/dprint.h"
#include "core/mod_fix.h"
#include "core/pvar.h"

#include <string.h>

#define MOST_SHOWN 1000

/* The script's bmd_encryption(USER, VARIABLE): 1 there is a certificate, 2 nothing plain may be
 * sent, -1 nothing is known of this person.  The certificate, or "", goes into the variable. */
int bmd_script_encryption(struct sip_msg *msg, char *user, char *variable)
{
	static char pem[BMD_CERTIFICATE_SIZE];
	pv_spec_t *to = (pv_spec_t *)variable;
	str name = {NULL, 0};
	pv_value_t value;
	enum bmd_encryption how;

	if(fixup_get_svalue(msg, (gparam_t *)user, &name) < 0 || name.len <= 0)
		return -1;
	how = bmd_core_encryption((struct bmd_text){name.s, (size_t)name.len}, pem, sizeof pem);
	memset(&value, 0, sizeof value);
	value.flags = PV_VAL_STR;
	value.rs.s = pem;
	value.rs.len = (int)strlen(pem);
	if(pv_set_spec_value(msg, to, 0, &value) < 0) {
		LM_ERR("bmd_encryption(): the variable cannot be set\n");
		return how == BMD_PLAIN ? -1 : 2; /* nothing can be encrypted: nothing is to be sent */
	}
	return how == BMD_PLAIN ? -1 : how == BMD_ENCRYPTED_ONLY ? 2 : 1;
}

/* The script's bmd_sent_encrypted(USER). */
int bmd_script_sent_encrypted(struct sip_msg *msg, char *user, char *unused)
{
	str name = {NULL, 0};

	(void)unused;
	if(fixup_get_svalue(msg, (gparam_t *)user, &name) < 0)
		return -1;
	bmd_core_sent_encrypted((struct bmd_text){name.s, (size_t)name.len});
	return 1;
}

struct reply
{
	rpc_t *rpc;
	void *ctx;
	int shown;
};

static void add_person(const struct bmd_encryption_view *person, void *arg)
{
	struct reply *reply = arg;
	void *th = NULL;

	if(++reply->shown > MOST_SHOWN || reply->rpc->add(reply->ctx, "{", &th) < 0)
		return;
	reply->rpc->struct_add(th, "sssds", "user", person->user, "certificate",
			person->has_certificate ? "yes" : "none", "encrypted_only",
			person->encrypted_only ? "yes" : "no", "withheld", (int)person->withheld,
			"last_withheld", person->last_withheld);
}

const char *bmd_encryption_doc[] = {
		"Technicians whose documents are encrypted, those first of whom something was withheld", 0};

void bmd_rpc_encryption(rpc_t *rpc, void *ctx)
{
	struct reply reply = {rpc, ctx, 0};
	void *th = NULL;

	bmd_core_each_encryption(add_person, &reply);
	if(reply.shown > MOST_SHOWN && rpc->add(ctx, "{", &th) >= 0)
		rpc->struct_add(th, "d", "more", reply.shown - MOST_SHOWN);
}
