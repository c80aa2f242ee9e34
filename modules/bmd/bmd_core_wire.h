/*
 * bmd_core_wire.h - who sends: digests, certificates, batches; the C++ behind it, as bmd_core.h
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BMD_CORE_WIRE_H
#define BMD_CORE_WIRE_H

#include "bmd_core.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BMD_HA1_SIZE 65

/* HA1 of a person for the digest by SHA-256 (`sha256` 1) or MD5 (0), in hexadecimal, `domain` as
 * the user name of the digest has it (empty: without).  1, or 0 when nobody is called so; `ha1`
 * then gets zeros, so that both take the same way and time.  It takes BMD_HA1_SIZE bytes. */
int bmd_core_digest(struct bmd_text user, struct bmd_text domain, int sha256, char *ha1);
/* Counts credentials: right ones (`right` 1) by SHA-256 or MD5, or wrong ones (0). */
void bmd_core_count_digest(int right, int sha256);

/* A request that came before. */
enum bmd_replay
{
	BMD_REPLAY_REGISTER,
	BMD_REPLAY_SUBSCRIBE,
	BMD_REPLAY_MESSAGE,
	BMD_REPLAY_OTHER,
	BMD_REPLAY_KINDS
};
/* Counts one whose credentials are right, but whose nonce has been used with this count or a later
 * one. */
void bmd_core_count_replay(enum bmd_replay kind);
/* The same of a nonce that has run out, or is of before the start: of a terminal, or a replay. */
void bmd_core_count_stale_nonce(void);

/* 1 when this is an enabled technician; whoever a certificate names must be one. */
int bmd_core_is_person(struct bmd_text user);
/* Counts a request whose certificate stood for the password (`right` 1), or was of nobody (0). */
void bmd_core_count_certificate(int right);

/* 1 when the body is one JSON-RPC request of bmd.report, else 0 with the reason.  With a collector
 * it must be a batch of that one: -1 when it is somebody else's. */
int bmd_core_check_request(
		struct bmd_text body, struct bmd_text collector, char *reason, size_t reason_size);
/* Counts connections of strangers that made room for others. */
void bmd_core_count_made_room(size_t connections);
/* Counts a request that was refused for the certificate of its sender. */
void bmd_core_count_collector_refused(void);

#ifdef __cplusplus
}
#endif

#endif
