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
	BMD_TASK_MESSAGE = 2,     /* a person is to get a text of an alert */
	BMD_TASK_CALL = 4,        /* a person is to be called */
	BMD_TASK_REGISTERED = 8,  /* a person may have a new terminal */
	BMD_TASK_UNHEARD = 16,    /* a terminal of a person did not take a NOTIFY */
	BMD_TASK_CHANGED = 32,    /* an alert that a message or a call was asked for has changed */
	BMD_TASK_EVERYTHING = 128 /* after a start, and when a task was lost: look at everybody */
};

struct bmd_task
{
	int kind;
	char alert[37];        /* id; empty when it is none's */
	unsigned int revision; /* of the alert when it was asked for */
	unsigned int step;     /* of the escalation, from 1; 0: of none */
	unsigned int round;    /* how often the step is a repetition */
	char person[32];       /* user name; empty when it is nobody's */
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

/* An attempt to reach one terminal of a person, with its outcome. */
struct bmd_attempt
{
	int kind; /* BMD_TASK_MESSAGE or BMD_TASK_CALL */
	char alert[37];
	unsigned int revision; /* that was told */
	char person[32];
	char terminal[BMD_TERMINAL_SIZE]; /* URI it went to; empty: there was none */
	uint64_t instance;                /* hash of the terminal's instance id; 0: it has none */
	int64_t sent_at;                  /* microseconds since 1970 */
	int code; /* final SIP status; 408: no answer, 480: no terminal, 999: could not be sent */
};

/* Recorded: in memory at once, on its way to the database. */
void bmd_core_attempted(const struct bmd_attempt *attempt);

#ifdef __cplusplus
}
#endif

#endif
