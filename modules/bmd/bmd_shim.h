/*
 * bmd_shim.h - what the shims of this module share
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BMD_SHIM_H
#define BMD_SHIM_H

#include "bmd_api.h"
#include "core/counters.h"
#include "core/rpc.h"
#include "core/rpc_lookup.h"

extern rpc_export_t bmd_rpc_cmds[];
extern rpc_export_t bmd_answer_rpc_cmds[];
extern stat_export_t bmd_stats[];

/* An optional argument as text; 1 when there was one (bmd_rpc.c). */
int bmd_scan_word(rpc_t *rpc, void *ctx, char *buffer, size_t size, struct bmd_text *word);
/* Whom the alert was delivered to, and who has seen it (bmd_rpc.c). */
void bmd_add_reach(rpc_t *rpc, void *parent, const char *id);
/* The same of what must be a string, named `what`: 1 when there was one, 0 when not, -1 with a
 * fault when it came as a number. */
int bmd_scan_name(
		rpc_t *rpc, void *ctx, const char *what, char *buffer, size_t size, struct bmd_text *word);
/* 1 when there are no more arguments, else 0 with a fault. */
int bmd_scan_end(rpc_t *rpc, void *ctx);
/* RPC commands on escalation (bmd_rpc_duty.c). */
void bmd_rpc_oncall(rpc_t *rpc, void *ctx);
void bmd_rpc_explain(rpc_t *rpc, void *ctx);
void bmd_rpc_dry_run(rpc_t *rpc, void *ctx);
/* What is held back from a technician (bmd_rpc_watcher.c). */
void bmd_rpc_watcher(rpc_t *rpc, void *ctx);
extern const char *bmd_watcher_doc[];
/* Whose documents are encrypted (bmd_encryption.c). */
void bmd_rpc_encryption(rpc_t *rpc, void *ctx);
extern const char *bmd_encryption_doc[];
/* Who may see what (bmd_rpc_policy.c). */
void bmd_rpc_policy(rpc_t *rpc, void *ctx);
void bmd_rpc_pending(rpc_t *rpc, void *ctx);
void bmd_rpc_approve(rpc_t *rpc, void *ctx);
void bmd_rpc_refuse(rpc_t *rpc, void *ctx);
extern const char *bmd_policy_doc[];
extern const char *bmd_pending_doc[];
extern const char *bmd_approve_doc[];
extern const char *bmd_refuse_doc[];
extern const char *bmd_oncall_doc[];
extern const char *bmd_explain_doc[];
extern const char *bmd_dry_run_doc[];

int bind_bmd(bmd_api_t *api);

/* The script's bmd_check_request([COLLECTOR]) and bmd_refuse_collector(WHY) (bmd_intake.c). */
struct sip_msg;
int bmd_script_check_request(struct sip_msg *msg, char *collector, char *unused);
int bmd_script_refuse_collector(struct sip_msg *msg, char *why, char *unused);
/* bmd_check_headers() and bmd_kept_connection(). */
int bmd_script_check_headers(struct sip_msg *msg, char *unused1, char *unused2);
int bmd_script_kept_connection(struct sip_msg *msg, char *unused1, char *unused2);
/* The script's bmd_www_authenticate(ALGORITHMS), with the return codes of auth_db's, and
 * bmd_www_challenge(ALGORITHMS, STALE). */
int bmd_www_authenticate(struct sip_msg *msg, char *algorithms, char *unused);
int bmd_www_challenge(struct sip_msg *msg, char *algorithms, char *stale);
int bmd_auth_fixup(void **param, int number);
/* The script's bmd_certificate_of(URI): true when the URI of a verified certificate names From, an
 * enabled technician. */
int bmd_certificate_of(struct sip_msg *msg, char *uri, char *unused);
/* The script's bmd_encryption(). */
int bmd_script_encryption(struct sip_msg *msg, char *user, char *variable);
int bmd_script_sent_encrypted(struct sip_msg *msg, char *user, char *unused);

/* What cannot be parsed is logged in part only (bmd_quiet.c).  over: the message could be read;
 * may_log: one more refusal. */
int bmd_quiet_init(void);
void bmd_quiet_over(void);
int bmd_quiet_may_log(void);
int bmd_quiet_headers(struct sip_msg *msg);

/* Own processes: announce them in mod_init, fork them in child_init of the main process. */
void bmd_announce_processes(void);
int bmd_fork_processes(void);
/* Of the process that keeps room for new connections (bmd_room.c). */
void bmd_room_round(void);
int bmd_room_is_little(void);
struct tcp_connection;
int bmd_is_short_lived(const struct tcp_connection *connection);
/* In child_init: remember the main process, and end with it in every other. */
void bmd_know_main_process(void);
int bmd_die_with_main_process(void);
/* Once, in the main process, when modules are destroyed: children are gone, their locks are not. */
void bmd_free_locks_at_end(void);

#endif
