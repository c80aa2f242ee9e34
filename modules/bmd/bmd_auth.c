/*
 * bmd_auth.c - digest authentication against what is kept in memory
 * SPDX-License-Identifier: GPL-2.0-or-later
 * As auth_db's www_authenticate(), without a database to wait for.  Nonces, their use and the
 * arithmetic are those of Kamailio's module auth.
 */
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "modules/auth/api.h"

static auth_api_s_t auth;

int bmd_auth_fixup(void **param, int number)
{
	(void)param;
	(void)number;
	return auth.pre_auth != NULL ? 0 : auth_load_api(&auth);
}

/* What the first look at the headers comes to; AUTH_OK: there is a digest to check. */
static auth_cfg_result_t first_look(struct sip_msg *msg, str *realm, struct hdr_field **header)
{
	switch(auth.pre_auth(msg, realm, HDR_AUTHORIZATION_T, header, NULL)) {
		case DO_AUTHENTICATION:
			return AUTH_OK;
		case NONCE_REUSED:
			return AUTH_NONCE_REUSED;
		case STALE_NONCE:
			return AUTH_STALE_NONCE;
		case NO_CREDENTIALS:
			return AUTH_NO_CREDENTIALS;
		default: /* also AUTHENTICATED, for ACK and CANCEL: these do not come here */
			return AUTH_ERROR;
	}
}

int bmd_www_authenticate(struct sip_msg *msg, char *unused1, char *unused2)
{
	struct bmd_text domain = bmd_core_domain();
	str realm = {(char *)domain.s, (int)domain.len};
	struct hdr_field *header = NULL;
	struct username *user;
	dig_cred_t *digest;
	char ha1[33];
	auth_cfg_result_t looked = first_look(msg, &realm, &header);

	(void)unused1;
	(void)unused2;
	if(looked != AUTH_OK)
		return looked;
	digest = &((auth_body_t *)header->parsed)->digest;
	user = &digest->username;
	if(!bmd_core_digest((struct bmd_text){user->user.s, (size_t)user->user.len},
			   (struct bmd_text){user->domain.s, (size_t)user->domain.len}, ha1, sizeof ha1))
		return AUTH_USER_UNKNOWN;
	switch(auth.check_response(digest, &msg->first_line.u.request.method, ha1)) {
		case AUTHENTICATED:
			return auth.post_auth(msg, header, ha1) == AUTHENTICATED ? AUTH_OK : AUTH_ERROR;
		case NOT_AUTHENTICATED:
			return AUTH_INVALID_PASSWORD;
		default:
			return AUTH_ERROR;
	}
}
