/*
 * bmd_digest.c - the arithmetic of digests
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Kamailio's module auth computes one algorithm at a time; two may be offered here (RFC 8760).
 */
#include "bmd_digest.h"
#include "core/basex.h"
#include "core/crypto/md5.h"
#include "core/crypto/sha256.h"
#include "core/globals.h"
#include "core/ut.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

struct hash
{
	int sha256;
	union
	{
		MD5_CTX md5;
		SHA256_CTX sha256;
	} state;
};

static void begin(struct hash *hash, int sha256)
{
	hash->sha256 = sha256;
	if(sha256)
		sr_SHA256_Init(&hash->state.sha256);
	else
		MD5Init(&hash->state.md5);
}

static void add(struct hash *hash, const char *text, int length)
{
	if(length <= 0)
		return;
	if(hash->sha256)
		sr_SHA256_Update(&hash->state.sha256, (const uint8_t *)text, (size_t)length);
	else
		MD5Update(&hash->state.md5, text, (size_t)length);
}

static void add_part(struct hash *hash, const str *text)
{
	add(hash, text->s, text->len);
	add(hash, ":", 1);
}

static void finish(struct hash *hash, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[SHA256_DIGEST_LENGTH];
	int i, length = bmd_digest_length(hash->sha256) / 2;

	if(hash->sha256)
		sr_SHA256_Final(sum, &hash->state.sha256);
	else
		MD5Final((char *)sum, &hash->state.md5);
	for(i = 0; i < length; i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[2 * length] = '\0';
}

int bmd_digest_length(int sha256)
{
	return 2 * (sha256 ? SHA256_DIGEST_LENGTH : MD5_DIGEST_LENGTH);
}

void bmd_digest_response(
		int sha256, const char *ha1, const dig_cred_t *digest, const str *method, char *response)
{
	char ha2[BMD_DIGEST_SIZE];
	struct hash hash;

	begin(&hash, sha256);
	add_part(&hash, method);
	add(&hash, digest->uri.s, digest->uri.len);
	finish(&hash, ha2);
	begin(&hash, sha256);
	add(&hash, ha1, bmd_digest_length(sha256));
	add(&hash, ":", 1);
	add_part(&hash, &digest->nonce);
	add_part(&hash, &digest->nc);
	add_part(&hash, &digest->cnonce);
	add_part(&hash, &digest->qop.qop_str);
	add(&hash, ha2, bmd_digest_length(sha256));
	finish(&hash, response);
}

int bmd_digest_same(const char *a, const char *b, int length)
{
	volatile unsigned char differing = 0;
	int i;

	for(i = 0; i < length; i++)
		differing |= (unsigned char)(a[i] ^ b[i]);
	return differing == 0;
}

int bmd_digest_nonce_serves(const dig_cred_t *digest)
{
	enum
	{
		begin = 12, /* characters of base64 that hold 9 bytes: when it runs out, since when it is */
		most_uses = 255
	};
	unsigned char bytes[begin];
	uint32_t until, since;
	unsigned int uses = 0;
	int i;

	if(digest->nonce.len < begin
			|| base64_dec((unsigned char *)digest->nonce.s, begin, bytes, sizeof bytes) < 8)
		return 0;
	memcpy(&until, bytes, sizeof until);
	memcpy(&since, bytes + sizeof until, sizeof since);
	for(i = 0; i < digest->nc.len && uses <= most_uses; i++)
		uses = 16 * uses + (unsigned int)hex2int(digest->nc.s[i]);
	return uses <= most_uses && (time_t)ntohl(since) >= up_since
		   && (time_t)ntohl(until) >= time(NULL);
}
