/*
 * bmd_auth.c - digest authentication against what is kept in memory
 * SPDX-License-Identifier: GPL-2.0-or-later
 * As auth_db's www_authenticate(), without a database to wait for, with a challenge for each
 * algorithm (RFC 8760) and a proof of the server's own (rspauth).  Nonces and their use are those
 * of Kamailio's module auth.
 */
#include "bmd_core_wire.h"
#include "bmd_digest.h"
#include "bmd_kamailio.h"
#include "bmd_shim.h"
#include "core/data_lump_rpl.h"
#include "core/mod_fix.h"
#include "core/parser/digest/digest.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_uri.h"
#include "core/usr_avp.h"
#include "modules/auth/api.h"
#include "modules/sl/sl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum
{
	longest_cnonce = 128,
	longest_proof = longest_cnonce + BMD_DIGEST_SIZE + 64
};

/* The strongest first; `sha256` is the index turned round. */
static str algorithm_names[] = {str_init("SHA-256"), str_init("MD5")};

static auth_api_s_t auth;
static sl_api_t sl;

int bmd_auth_fixup(void **param, int number)
{
	if(auth.pre_auth == NULL && (auth_load_api(&auth) < 0 || sl_load_api(&sl) < 0))
		return -1;
	return number == 2 ? fixup_spve_igp(param, 2) : fixup_spve_null(param, 1);
}

/* Is the algorithm one of the list "SHA-256,MD5"? */
static int among(const str *list, const str *name)
{
	const char *s = list->s, *end = list->s + list->len, *comma;

	for(; s < end; s = comma + 1) {
		comma = memchr(s, ',', (size_t)(end - s));
		if(comma == NULL)
			comma = end;
		if(comma - s == name->len && strncasecmp(s, name->s, (size_t)name->len) == 0)
			return 1;
	}
	return 0;
}

/* What a right digest comes to by its nonce, which counts as used from here on. */
static auth_cfg_result_t use_nonce(struct sip_msg *msg, str *realm, struct hdr_field **header)
{
	switch(auth.pre_auth(msg, realm, HDR_AUTHORIZATION_T, header, NULL)) {
		case DO_AUTHENTICATION:
			return AUTH_OK;
		case NONCE_REUSED:
			return AUTH_NONCE_REUSED;
		case STALE_NONCE:
			return AUTH_STALE_NONCE;
		default: /* also AUTHENTICATED, for ACK and CANCEL: these do not come here */
			return AUTH_ERROR;
	}
}

/* 1: SHA-256, 0: MD5, -1: neither, or not to be used.  Without a name it is MD5 (RFC 7616, 3.3). */
static int algorithm_of(const dig_cred_t *digest, const str *accepted)
{
	str name = digest->alg.alg_str.len > 0 ? digest->alg.alg_str : algorithm_names[1];
	int i;

	for(i = 0; i < 2; i++)
		if(among(&algorithm_names[i], &name) && among(accepted, &name))
			return i == 0;
	return -1;
}

/* The digest must be for this request: what names another resource was made for another one.  Some
 * stacks name the host alone. */
static int is_for(struct sip_msg *msg, const str *uri)
{
	str *target = &msg->first_line.u.request.uri;
	struct sip_uri meant, asked;

	if(uri->len == target->len && memcmp(uri->s, target->s, (size_t)uri->len) == 0)
		return 1;
	if(parse_uri(uri->s, uri->len, &meant) < 0 || parse_uri(target->s, target->len, &asked) < 0)
		return 0;
	return meant.host.len == asked.host.len
		   && strncasecmp(meant.host.s, asked.host.s, (size_t)asked.host.len) == 0
		   && (meant.user.len == 0
				   || (meant.user.len == asked.user.len
						   && memcmp(meant.user.s, asked.user.s, (size_t)asked.user.len) == 0));
}

/* Without qop the response covers no nonce count, and could be sent again with another. */
static int is_counted(const dig_cred_t *digest)
{
	const str *cnonce = &digest->cnonce;

	return digest->qop.qop_parsed == QOP_AUTH && digest->nc.len == 8 && cnonce->len > 0
		   && cnonce->len <= longest_cnonce && memchr(cnonce->s, '\r', (size_t)cnonce->len) == NULL
		   && memchr(cnonce->s, '\n', (size_t)cnonce->len) == NULL;
}

static enum bmd_replay kind_of(struct sip_msg *msg)
{
	switch(msg->REQ_METHOD) {
		case METHOD_REGISTER:
			return BMD_REPLAY_REGISTER;
		case METHOD_SUBSCRIBE:
			return BMD_REPLAY_SUBSCRIBE;
		case METHOD_MESSAGE:
			return BMD_REPLAY_MESSAGE;
		default:
			return BMD_REPLAY_OTHER;
	}
}

/* The server's own proof that it knows the password (RFC 7616, 3.5), for every reply from here on.
 * No nextnonce: the nonce serves on, counted. */
static int add_proof(struct sip_msg *msg, int sha256, const char *ha1, const dig_cred_t *digest)
{
	static const str no_method = {"", 0};
	char line[longest_proof], proof[BMD_DIGEST_SIZE];
	int length;

	bmd_digest_response(sha256, ha1, digest, &no_method, proof);
	length = snprintf(line, sizeof line,
			"Authentication-Info: qop=auth, rspauth=\"%s\", cnonce=\"%.*s\", nc=%.*s\r\n", proof,
			digest->cnonce.len, digest->cnonce.s, digest->nc.len, digest->nc.s);
	if(length >= (int)sizeof line || add_lump_rpl(msg, line, length, LUMP_RPL_HDR) == NULL) {
		LM_ERR("cannot add Authentication-Info to the reply\n");
		return AUTH_ERROR;
	}
	return AUTH_OK;
}

/* Is the response the right one?  AUTH_OK, and HA1 in `ha1`, or why not.  Who is not known takes
 * the same way as who is, up to the comparison. */
static int compare(struct sip_msg *msg, const dig_cred_t *digest, int sha256, char *ha1)
{
	const struct username *user = &digest->username;
	char response[BMD_DIGEST_SIZE];
	int known = bmd_core_digest((struct bmd_text){user->user.s, (size_t)user->user.len},
			(struct bmd_text){user->domain.s, (size_t)user->domain.len}, sha256, ha1);
	int length = bmd_digest_length(sha256);

	bmd_digest_response(sha256, ha1, digest, &msg->first_line.u.request.method, response);
	if(digest->response.len != length || !bmd_digest_same(response, digest->response.s, length)
			|| !known)
		return known ? AUTH_INVALID_PASSWORD : AUTH_USER_UNKNOWN;
	return AUTH_OK;
}

/* Is From the person whose digest was right?  $au would be whoever the first header names, which
 * may be another one than was checked, or Proxy-Authorization. */
static int is_of_sender(struct sip_msg *msg, const dig_cred_t *digest)
{
	const struct sip_uri *from = parse_from_uri(msg);
	const str *user = &digest->username.user;

	return from != NULL && from->user.len == user->len
		   && memcmp(from->user.s, user->s, (size_t)user->len) == 0;
}

/* Counts what is right but for its nonce.  Somebody has the password, or has recorded who had it.
 */
static void count_again(struct sip_msg *msg, const dig_cred_t *digest, int result)
{
	/* of a nonce that still serves both mean that it has served */
	if((result != AUTH_NONCE_REUSED && result != AUTH_STALE_NONCE)
			|| !bmd_digest_nonce_serves(digest))
		bmd_core_count_stale_nonce();
	else
		bmd_core_count_replay(kind_of(msg));
}

/* The nonce comes last: who has only seen it must not use it up for who knows the password.  One
 * that is not ours is of another server of the site, perhaps: RFC 7616, 3.3 calls it stale, too. */
static int check(struct sip_msg *msg, str *realm, struct hdr_field *header, int sha256)
{
	const dig_cred_t *digest = &((const auth_body_t *)header->parsed)->digest;
	char ha1[BMD_HA1_SIZE];
	int result;

	if(sha256 < 0 || !is_counted(digest) || !is_for(msg, &digest->uri))
		return AUTH_ERROR;
	result = compare(msg, digest, sha256, ha1);
	if(result != AUTH_OK)
		return result;
	result = use_nonce(msg, realm, &header);
	if(result != AUTH_OK) {
		count_again(msg, digest, result);
		return result == AUTH_ERROR ? AUTH_STALE_NONCE : result;
	}
	result = add_proof(msg, sha256, ha1, digest);
	return result == AUTH_OK && !is_of_sender(msg, digest) ? AUTH_USER_MISMATCH : result;
}

int bmd_www_authenticate(struct sip_msg *msg, char *algorithms, char *unused)
{
	struct bmd_text domain = bmd_core_domain();
	str realm = {(char *)domain.s, (int)domain.len}, accepted;
	struct hdr_field *header = NULL;
	int sha256, result;

	(void)unused;
	if(fixup_get_svalue(msg, (gparam_t *)algorithms, &accepted) < 0)
		return AUTH_ERROR;
	result = find_credentials(msg, &realm, HDR_AUTHORIZATION_T, &header);
	if(result != 0)
		return result > 0 ? AUTH_NO_CREDENTIALS : AUTH_ERROR;
	sha256 = algorithm_of(&((const auth_body_t *)header->parsed)->digest, &accepted);
	result = check(msg, &realm, header, sha256);
	if(result != AUTH_NONCE_REUSED && result != AUTH_STALE_NONCE)
		bmd_core_count_digest(result == AUTH_OK || result == AUTH_USER_MISMATCH, sha256);
	return result;
}

/* Does the URI of a certificate name the sender of the request, an enabled technician? */
static int names_sender(struct sip_msg *msg, const str *uri)
{
	struct bmd_text domain = bmd_core_domain();
	struct sip_uri owner, *from;

	if(uri->len <= 0 || parse_uri(uri->s, uri->len, &owner) < 0
			|| (owner.type != SIP_URI_T && owner.type != SIPS_URI_T)
			|| (from = parse_from_uri(msg)) == NULL)
		return 0;
	return owner.user.len > 0 && owner.user.len == from->user.len
		   && memcmp(owner.user.s, from->user.s, (size_t)owner.user.len) == 0
		   && (size_t)owner.host.len == domain.len
		   && strncasecmp(owner.host.s, domain.s, domain.len) == 0
		   && bmd_core_is_person((struct bmd_text){owner.user.s, (size_t)owner.user.len});
}

int bmd_certificate_of(struct sip_msg *msg, char *uri, char *unused)
{
	str name = {NULL, 0};
	int right;

	(void)unused;
	if(fixup_get_svalue(msg, (gparam_t *)uri, &name) < 0)
		return -1;
	right = names_sender(msg, &name);
	bmd_core_count_certificate(right);
	return right ? 1 : -1;
}

/* The challenge for one algorithm, as a header of the reply: auth leaves it in an AVP. */
static int add_challenge(struct sip_msg *msg, int stale, str *realm, str *algorithm)
{
	str name = str_init("digest_challenge");
	avp_ident_t ident;
	avp_value_t value;
	struct usr_avp *avp;
	int added;

	memset(&ident, 0, sizeof ident);
	if(parse_avp_ident(&name, &ident) < 0
			|| auth.build_challenge(msg, stale, realm, NULL, algorithm, HDR_AUTHORIZATION_T) < 0)
		return -1;
	avp = search_first_avp(ident.flags | AVP_VAL_STR, ident.name, &value, NULL);
	if(avp == NULL)
		return -1;
	added = add_lump_rpl(msg, value.s.s, value.s.len, LUMP_RPL_HDR) != NULL;
	destroy_avp(avp);
	return added ? 0 : -1;
}

int bmd_www_challenge(struct sip_msg *msg, char *algorithms, char *stale)
{
	static str unauthorized = str_init("Unauthorized"), failure = str_init("Server Internal Error");
	struct bmd_text domain = bmd_core_domain();
	str realm = {(char *)domain.s, (int)domain.len}, offered;
	int i, is_stale = 0, count = 0;

	if(fixup_get_svalue(msg, (gparam_t *)algorithms, &offered) < 0
			|| fixup_get_ivalue(msg, (gparam_t *)stale, &is_stale) < 0)
		return AUTH_ERROR;
	for(i = 0; i < 2; i++)
		if(among(&offered, &algorithm_names[i])) {
			if(add_challenge(msg, is_stale, &realm, &algorithm_names[i]) < 0)
				break;
			count++;
		}
	if(i == 2 && count > 0)
		return sl.freply(msg, 401, &unauthorized) < 0 ? AUTH_ERROR : AUTH_OK;
	LM_ERR("no challenge for \"%.*s\": SHA-256, MD5 or both, with a comma between them, and "
		   "memory\n",
			offered.len, offered.s);
	return sl.freply(msg, 500, &failure) < 0 ? AUTH_ERROR : AUTH_OK;
}
