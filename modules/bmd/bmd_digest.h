/*
 * bmd_digest.h - the arithmetic of digests: RFC 7616 with qop=auth, by SHA-256 or MD5
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Knows no person and no message.
 */
#ifndef BMD_DIGEST_H
#define BMD_DIGEST_H

#include "core/parser/digest/digest_parser.h"

/* Hexadecimal digits of SHA-256, and the zero at the end. */
#define BMD_DIGEST_SIZE 65

/* Digits of a response by SHA-256 (`sha256` 1) or MD5 (0). */
int bmd_digest_length(int sha256);

/* The response that whoever knows `ha1` gives to the nonce, nonce count and cnonce of `digest`.  An
 * empty method makes it rspauth, by which the server proves that it knows `ha1` as well. */
void bmd_digest_response(
		int sha256, const char *ha1, const dig_cred_t *digest, const str *method, char *response);

/* 1 when both are the same; it takes as long when they are not. */
int bmd_digest_same(const char *a, const char *b, int length);

/* Is the nonce of this server since its start, has it not run out, and is its count one that module
 * auth can keep (up to 255)?  Of such a nonce it says that it is stale when it was used with this
 * count, or a later one, before. */
int bmd_digest_nonce_serves(const dig_cred_t *digest);

#endif
