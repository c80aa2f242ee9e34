/*
 * smime_pv.c - $smime(name): what became of the body of a request
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_kamailio.h"
#include "core/dprint.h"
#include "smime_shim.h"

#include <string.h>

static const struct
{
	const char *name;
	size_t offset;
} fields[] = {{"reason", offsetof(struct smime_outcome, reason)},
		{"signer", offsetof(struct smime_outcome, signer)},
		{"subject", offsetof(struct smime_outcome, subject)}};

#define FIELDS ((int)(sizeof fields / sizeof fields[0]))

int smime_pv_parse_name(pv_spec_t *spec, str *name)
{
	int i;

	for(i = 0; i < FIELDS; i++)
		if(strlen(fields[i].name) == (size_t)name->len
				&& memcmp(fields[i].name, name->s, (size_t)name->len) == 0)
			break;
	if(i == FIELDS) {
		LM_ERR("there is no $smime(%.*s): reason, signer and subject are\n", name->len, name->s);
		return -1;
	}
	spec->pvp.pvn.type = PV_NAME_INTSTR;
	spec->pvp.pvn.u.isname.type = 0;
	spec->pvp.pvn.u.isname.name.n = i;
	return 0;
}

int smime_pv_get(struct sip_msg *msg, pv_param_t *param, pv_value_t *value)
{
	const struct smime_outcome *outcome = msg == NULL ? NULL : smime_outcome_of(msg);
	str text;

	if(outcome == NULL)
		return pv_get_null(msg, param, value);
	text.s = (char *)outcome + fields[param->pvn.u.isname.name.n].offset;
	text.len = (int)strlen(text.s);
	return text.len == 0 ? pv_get_null(msg, param, value) : pv_get_strval(msg, param, value, &text);
}
