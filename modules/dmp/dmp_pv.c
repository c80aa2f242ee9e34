/*
 * dmp_pv.c - $dmp(name): what the DMP document of a message says
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bmd_kamailio.h"
#include "core/dprint.h"
#include "dmp_shim.h"

#include <string.h>

static const struct
{
	const char *name;
	size_t offset;
} fields[] = {{"method", offsetof(struct dmp_seen, root)},
		{"entry", offsetof(struct dmp_seen, entry)}, {"device", offsetof(struct dmp_seen, device)},
		{"action", offsetof(struct dmp_seen, action)},
		{"variable", offsetof(struct dmp_seen, variable)},
		{"alert", offsetof(struct dmp_seen, alert)}, {"code", offsetof(struct dmp_seen, result)},
		{"reason", offsetof(struct dmp_seen, reason)}};

#define FIELDS ((int)(sizeof fields / sizeof fields[0]))
#define ENTRIES FIELDS /* the number after them */

static struct dmp_seen seen;
static unsigned int seen_id; /* of the message it was read of; ids count from 1 */

struct dmp_seen *dmp_seen_of(struct sip_msg *msg)
{
	memset(&seen, 0, sizeof seen);
	seen_id = msg->id;
	return &seen;
}

int dmp_pv_parse_name(pv_spec_t *spec, str *name)
{
	int i;

	for(i = 0; i < FIELDS; i++)
		if(strlen(fields[i].name) == (size_t)name->len
				&& memcmp(fields[i].name, name->s, (size_t)name->len) == 0)
			break;
	if(i == FIELDS && (name->len != 7 || memcmp(name->s, "entries", 7) != 0)) {
		LM_ERR("there is no $dmp(%.*s): method, entry, entries, device, action, variable, alert, "
			   "code and reason are\n",
				name->len, name->s);
		return -1;
	}
	spec->pvp.pvn.type = PV_NAME_INTSTR;
	spec->pvp.pvn.u.isname.type = 0;
	spec->pvp.pvn.u.isname.name.n = i;
	return 0;
}

/* Null until dmp_validate() or dmp_handle_message() has read this message, and where it says
 * nothing. */
int dmp_pv_get(struct sip_msg *msg, pv_param_t *param, pv_value_t *value)
{
	int i = (int)param->pvn.u.isname.name.n;
	str text;

	if(msg == NULL || msg->id != seen_id)
		return pv_get_null(msg, param, value);
	if(i == ENTRIES)
		return pv_get_sintval(msg, param, value, seen.entries);
	text.s = (char *)&seen + fields[i].offset;
	text.len = (int)strlen(text.s);
	return text.len == 0 ? pv_get_null(msg, param, value) : pv_get_strval(msg, param, value, &text);
}
