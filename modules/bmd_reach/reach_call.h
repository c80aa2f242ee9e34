/*
 * reach_call.h - calls to people
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REACH_CALL_H
#define REACH_CALL_H

#include "reach_core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Calls the person of the task; in the process "BMD reach".  Does not wait: every outcome is
 * recorded when it is known. */
void reach_call(const struct bmd_task *task);

/* The alert of the task has changed: when it was taken or is over (api->alert() says so), who is
 * still being called for it need not be. */
void reach_call_changed(const struct bmd_task *task);

#ifdef __cplusplus
}
#endif

#endif
