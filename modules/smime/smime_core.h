/*
 * smime_core.h - the C++ of this module as its C shims see it
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Nothing here throws.  What a function hands out is its own until the next call in this process.
 */
#ifndef SMIME_CORE_H
#define SMIME_CORE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Text that is not zero-terminated. */
struct smime_text
{
	const char *s;
	size_t len;
};

/* Names of PEM files; empty: none. */
struct smime_settings
{
	const char *certificate;
	const char *key;
	const char *ca;
	const char *crl;
	int base64; /* of what is made */
};

/* Reads the files as a trial, keeps nothing of them: 0, or -1 with file and reason. */
int smime_core_check(const struct smime_settings *settings, char *reason, size_t size);
/* Before the fork.  Both and what they point to must stay.  Of peers only ca and crl count. */
void smime_core_init(const struct smime_settings *settings, const struct smime_settings *peers);
/* Before the fork, when all modules are loaded: with Kamailio's random numbers for OpenSSL two
 * processes can be given the same ones.  The system's are taken instead. */
void smime_core_own_random(void);
/* Before the first fork: what OpenSSL keeps for this thread, its queue of errors above all, is in
 * Kamailio's shared memory, where module tls puts it.  Children that inherit it free the same
 * texts, which ended the server in a flood of broken handshakes; each makes its own when there is
 * none. */
void smime_core_forget_thread(void);

/* Where things were logged once; the shim logs `what` with the reason. */
typedef void (*smime_complain)(const char *reason);
/* Reads the files again when `generation` differs from that of the last call, or when one of them
 * has another time than it had, looked at once a second.  What cannot be read is told to `complain`
 * once, and the old ones stay. */
void smime_core_follow(unsigned int generation, smime_complain complain);

struct smime_header
{
	struct smime_text name;
	struct smime_text value;
};

/* A header that a signature covers? */
int smime_core_covers(struct smime_text name);

/* A request. */
struct smime_request
{
	const struct smime_header *headers; /* that are covered */
	int header_count;
	struct smime_text type; /* len 0: no body */
	struct smime_text transfer;
	struct smime_text body;
};

/* What became of it. */
struct smime_outcome
{
	int done;
	struct smime_text type; /* len 0: there is no body now */
	struct smime_text transfer;
	struct smime_text body;
	char reason[256]; /* why it was not done; printable ASCII without " and \ */
	char signer[256]; /* of a good signature */
	char subject[256];
};

void smime_core_sign(const struct smime_request *request, struct smime_outcome *outcome);
/* `certificate` is PEM. */
void smime_core_encrypt(struct smime_text certificate, const struct smime_request *request,
		struct smime_outcome *outcome);
/* Can be encrypted for? */
void smime_core_usable(struct smime_text certificate, struct smime_outcome *outcome);
/* Is somebody believed who shows this certificate in a TLS handshake? */
void smime_core_peer(struct smime_text certificate, struct smime_outcome *outcome);
void smime_core_decrypt(const struct smime_request *request, struct smime_outcome *outcome);
/* `identity`: whose signature it must be, a SIP URI. */
void smime_core_verify(struct smime_text identity, const struct smime_request *request,
		struct smime_outcome *outcome);

int smime_core_is_signed(struct smime_text type);
int smime_core_is_encrypted(struct smime_text type);

#ifdef __cplusplus
}
#endif

#endif
