/*
 * smime_shim.h - what the shims of this module share
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMIME_SHIM_H
#define SMIME_SHIM_H

#include "core/counters.h"
#include "core/parser/msg_parser.h"
#include "core/pvar.h"
#include "core/rpc.h"
#include "smime_core.h"

extern struct smime_settings smime_files, smime_peer_files;
extern unsigned int *smime_generation; /* shared: grows with every smime.reload */

extern stat_export_t smime_stats[];
extern stat_var *smime_signed, *smime_encrypted, *smime_decrypted, *smime_verified, *smime_refused,
		*smime_peers_refused;

extern rpc_export_t smime_rpc_cmds[];

/* Functions of the script, smime_message.c: 1 done, and the body of the request is another one; -1
 * not, and $smime(reason) says why. */
int smime_sign(struct sip_msg *msg, int with_body);
int smime_encrypt(struct sip_msg *msg, const str *certificate);
int smime_usable(struct sip_msg *msg, const str *certificate);
/* Is the certificate one that a TLS handshake would take now? */
int smime_peer(struct sip_msg *msg, const str *certificate);
/* A text instead of the body. */
int smime_say(struct sip_msg *msg, const str *text);
int smime_decrypt(struct sip_msg *msg);
int smime_verify(struct sip_msg *msg, const str *identity);
int smime_is_signed(struct sip_msg *msg);
int smime_is_encrypted(struct sip_msg *msg);

/* What the last of these found out about this request; NULL when it was none of them. */
const struct smime_outcome *smime_outcome_of(struct sip_msg *msg);

/* Puts a body into the request instead of its own; in a request route it is there for what follows.
 * 1, -1, or 0: the request cannot be used any more.  smime_replace.c */
int smime_replace(struct sip_msg *msg, const struct smime_outcome *outcome);
/* The body that this process has put into this request, if it has: 1, else 0. */
int smime_replaced(struct sip_msg *msg, struct smime_request *request);
/* The header that says how a body is encoded; NULL when there is none. */
struct hdr_field *smime_transfer_header(struct sip_msg *msg);

int smime_pv_parse_name(pv_spec_t *spec, str *name);
int smime_pv_get(struct sip_msg *msg, pv_param_t *param, pv_value_t *value);

#endif
