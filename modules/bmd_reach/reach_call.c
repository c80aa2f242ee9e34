/*
 * reach_call.c - calls to people
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "reach_call.h"

void reach_call(const struct bmd_task *task)
{
	reach_failed(task, BMD_NOT_SENT);
}

void reach_call_changed(const struct bmd_task *task)
{
	(void)task;
}
