/*
 * bmd_core_encryption.h - whose documents are encrypted: the C++ behind it, as bmd_core.h
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BMD_CORE_ENCRYPTION_H
#define BMD_CORE_ENCRYPTION_H

#include "bmd_core.h"

#ifdef __cplusplus
extern "C" {
#endif

enum bmd_encryption
{
	BMD_PLAIN,         /* nothing is provisioned for this person */
	BMD_ENCRYPTED,     /* there is a certificate */
	BMD_ENCRYPTED_ONLY /* nothing plain may be sent; there may be no certificate */
};

#define BMD_CERTIFICATE_SIZE 7501 /* with its closing zero */

/* How this person's documents are sent; the certificate, or "", goes into `pem`.  Needs no
 * database. */
enum bmd_encryption bmd_core_encryption(struct bmd_text user, char *pem, size_t size);

/* What was to be sent to this person was not, since it could not be encrypted: counted, logged at
 * most every 10 s, and kept for bmd_core_each_encryption(). */
void bmd_core_withheld(struct bmd_text user, struct bmd_text reason);

/* Something was encrypted for this person: an operator's alert that nothing can be ends. */
void bmd_core_sent_encrypted(struct bmd_text user);

struct bmd_encryption_view
{
	char user[32];
	int has_certificate;
	int encrypted_only;
	unsigned long withheld; /* since the start */
	char last_withheld[40]; /* RFC 3339; empty: never */
};
typedef void (*bmd_each_encryption)(const struct bmd_encryption_view *person, void *arg);
/* Those of whom something was withheld come first, the latest before. */
void bmd_core_each_encryption(bmd_each_encryption each, void *arg);

#ifdef __cplusplus
}
#endif

#endif
