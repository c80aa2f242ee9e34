/*
 * bmd_core_reach.h - messages and calls to people, as the module that makes them sees bmd
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Part of bmd_core.h.  bmd says who is to be told of what and keeps what became of it; how a
 * terminal is reached is the business of the other module.
 */
#ifndef BMD_CORE_REACH_H
#define BMD_CORE_REACH_H

#include "bmd_core.h"

#ifdef __cplusplus
extern "C" {
#endif

enum bmd_task_kind
{
	BMD_TASK_MESSAGE = 2,     /* a step: a person is to get a text of an alert */
	BMD_TASK_CALL = 4,        /* a step: a person is to be called */
	BMD_TASK_REGISTERED = 8,  /* a person may have a new terminal */
	BMD_TASK_UNHEARD = 16,    /* a terminal of a person did not take a NOTIFY */
	BMD_TASK_CHANGED = 32,    /* an alert that a message or a call was asked for has changed */
	BMD_TASK_EVERYTHING = 128 /* after a start, and when a task was lost: look at everybody */
};

struct bmd_task
{
	int kind;
	char alert[37];        /* id; empty when it is none's */
	unsigned int revision; /* of the alert when it was asked for, or that it has now */
	unsigned int step;     /* of the escalation, from 1; 0: of none */
	unsigned int round;    /* how often the step is a repetition */
	char person[32];       /* user name; of a change: who has taken it; empty: nobody */
};

/* From now on the caller takes the tasks.  Before the fork; without it messages and calls are
 * recorded as not sent (999). */
void bmd_core_take_tasks(void);
/* The next task, for one process.  0: none came within `milliseconds`. */
int bmd_core_next_task(struct bmd_task *task, int milliseconds);
/* A person registered a terminal.  Never waits. */
void bmd_core_registered(struct bmd_text person);

#define BMD_NOT_SENT 999
#define BMD_TERMINAL_SIZE 96 /* with its closing zero */

/* What a text told of an alert. */
enum bmd_told
{
	BMD_TOLD_NOTHING,
	BMD_TOLD_TAKEN, /* somebody sees to it, or has */
	BMD_TOLD_OVER,
	BMD_TOLD_LOW, /* it waits for an answer, at this priority */
	BMD_TOLD_MEDIUM,
	BMD_TOLD_HIGH
};

static inline int bmd_told_waits(int told)
{
	return told >= BMD_TOLD_LOW;
}

/* An attempt to reach one terminal of a person, with its outcome. */
struct bmd_attempt
{
	int kind;              /* BMD_TASK_MESSAGE or BMD_TASK_CALL */
	char alert[37];        /* empty: the text was about several, nothing is recorded */
	unsigned int revision; /* that was told */
	char person[32];
	char terminal[BMD_TERMINAL_SIZE]; /* URI it went to; empty: there was none */
	uint64_t instance;                /* hash of the terminal's instance id; 0: it has none */
	int told;                         /* enum bmd_told, of a message */
	int64_t sent_at;                  /* microseconds since 1970 */
	int code; /* final SIP status; 408: no answer, 480: no terminal, 999: could not be sent */
};

/* Recorded: in memory at once, on its way to the database.  From any process. */
void bmd_core_attempted(const struct bmd_attempt *attempt);

/* The hash that `struct bmd_reached` has of a terminal's URI, as bmd_attempt holds it. */
uint64_t bmd_core_terminal_hash(struct bmd_text terminal);

/* A text of an alert to one terminal, or to nobody's (terminal 0): it was only asked for. */
struct bmd_reached
{
	char person[32];
	uint64_t terminal;
	uint64_t instance;
	int told;         /* enum bmd_told: what it took last */
	int failed;       /* the last attempt */
	int64_t tried_at; /* its outcome, microseconds of CLOCK_MONOTONIC; 0: none since the start */
};
typedef void (*bmd_each_reached)(const struct bmd_reached *reached, void *arg);
/* The texts of an alert. */
void bmd_core_messages(struct bmd_text alert, bmd_each_reached each, void *arg);
/* 1 when a terminal of the person took a NOTIFY with this alert. */
int bmd_core_was_notified(struct bmd_text alert, struct bmd_text person);

/* The alerts of a person's feed that wait for an answer, are not silenced or suppressed, and that
 * no live subscription shows the person; most urgent first, at most `most`.  How many there are. */
long bmd_core_outstanding(struct bmd_text person, long most, bmd_each_alert each, void *arg);
/* The people that bmd_core_outstanding() may have something for, each once. */
typedef void (*bmd_each_person)(const char *person, void *arg);
void bmd_core_outstanding_people(bmd_each_person each, void *arg);

/* Messages to a person a minute, of less than high priority (setting messages_per_minute). */
long bmd_core_messages_per_minute(void);
void bmd_core_message_held(void); /* counts one that was held back */

/* RFC 3339 in, "2026-11-21 14:05:33+01:00" by the hospital's clock out; empty when it is none. */
void bmd_core_local_time(struct bmd_text time, char *local, size_t size);

/* The person queried the alert: it counts as seen. */
void bmd_core_seen(struct bmd_text alert, struct bmd_text person);

/* For kamcmd: "tech1 by message 2026-11-21T13:05:33Z, ..." */
struct bmd_reach_view
{
	char delivered_to[1024];
	char seen_by[512];
};
void bmd_core_alert_reach(struct bmd_text alert, struct bmd_reach_view *view);

#ifdef __cplusplus
}
#endif

#endif
