/*
 * bmd_core_policy.h - who may see what: the C++ behind it, as bmd_core.h
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BMD_CORE_POLICY_H
#define BMD_CORE_POLICY_H

#include "bmd_core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Was that the last NOTIFY of its subscription?  Then presence is to forget the dialog. */
int bmd_core_ticket_ends(const void *ticket);

enum bmd_notify_state
{
	BMD_NOTIFY_ACTIVE,
	BMD_NOTIFY_PENDING,
	BMD_NOTIFY_REJECTED, /* terminated with this reason, as the next */
	BMD_NOTIFY_DEACTIVATED
};
/* What the Subscription-State of the NOTIFY that is being made says. */
enum bmd_notify_state bmd_core_notify_state(void);

/* What a person is shown of a device who asks for it by name, as bmd_core_device(): 1; 0: nothing,
 * as of a device that does not exist.  Who is blocked politely is shown one that has never
 * reported. */
int bmd_core_device_for(struct bmd_text person, struct bmd_text serial,
		struct bmd_device_view *device, bmd_each_metric each, void *arg);
/* The same of its open alerts, newest first; returns how many are shown. */
long bmd_core_device_alerts_for(
		struct bmd_text person, struct bmd_text serial, long most, bmd_each_alert each, void *arg);
/* May texts of the alerts of this device go to this person? */
int bmd_core_may_be_told(struct bmd_text person, struct bmd_text serial);

/* What a policy decides for one person. */
struct bmd_verdict_view
{
	char decision[16]; /* allow, confirm, block, polite-block */
	char shown[16];    /* full, no-identity, no-location, neither, count */
	char by[40];       /* which rule; "built-in"; "no rule allows it" */
	char state[16];    /* of a subscription: active, decoy, pending, refused */
	unsigned int most; /* subscriptions; 0: any number */
};

struct bmd_policy_step_view
{
	int rule; /* bmd_policy_rule.rule_id; 0: the built-in one */
	char says[256];
	int decides;
	char why[64];
};
typedef void (*bmd_each_policy_step)(const struct bmd_policy_step_view *step, void *arg);

/* Why a person may watch a feed, or is shown the alerts of a device (empty: of none) in it.  200,
 * or 400, 404, 500 with a reason.  Needs no database. */
int bmd_core_policy(struct bmd_text person, struct bmd_text feed, struct bmd_text serial,
		struct bmd_verdict_view *verdict, bmd_each_policy_step each, void *arg, char *reason,
		size_t reason_size);

struct bmd_pending_view
{
	char person[32];
	char feed[48];
	char since[40];
	char status[8]; /* pending; waiting: the subscription has run out, or state was fetched once */
};
typedef void (*bmd_each_pending)(const struct bmd_pending_view *pending, void *arg);
/* Subscriptions that wait for approval, those that wait the longest first; then who asked before
 * and has no subscription any more. */
void bmd_core_pending(bmd_each_pending each, void *arg);
/* Answers them, and those of the same person to the same feed that come later; in force when the
 * database has it.  200; 202: the database is away, as the reason says; 400, 404, 500. */
int bmd_core_answer_pending(struct bmd_text person, struct bmd_text feed, int approved,
		struct bmd_text who, char *reason, size_t reason_size);
/* What somebody is answered who is blocked politely from the feed and answers them: nothing comes
 * of it. */
int bmd_core_answer_in_vain(
		struct bmd_text person, struct bmd_text feed, char *reason, size_t reason_size);

#ifdef __cplusplus
}
#endif

#endif
