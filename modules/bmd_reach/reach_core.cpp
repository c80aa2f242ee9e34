/// @file reach_core.cpp  Takes the tasks of bmd and shares them out to the ways.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "reach_core.h"

#include <chrono>
#include <cstring>

#include "reach_call.h"

namespace {

constexpr int round_ms = 250;

const bmd_api_t *api = nullptr;

std::int64_t wall_clock()
{
	using namespace std::chrono;
	return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

void reach_task(const bmd_task &task)
{
	switch(task.kind) {
		case BMD_TASK_MESSAGE:
			reach_failed(&task, BMD_NOT_SENT);
			break;
		case BMD_TASK_CALL:
			reach_call(&task);
			break;
		case BMD_TASK_CHANGED:
			reach_call_changed(&task);
			break;
		default:
			break;
	}
}

} // namespace

void reach_core_init(const bmd_api_t *bound)
{
	api = bound;
}

void reach_round(void)
{
	bmd_task task{};
	if(api->next_task(&task, round_ms))
		reach_task(task);
}

void reach_failed(const bmd_task *task, int code)
{
	bmd_attempt attempt{};
	attempt.kind = task->kind;
	std::memcpy(attempt.alert, task->alert, sizeof attempt.alert);
	attempt.revision = task->revision;
	std::memcpy(attempt.person, task->person, sizeof attempt.person);
	attempt.sent_at = wall_clock();
	attempt.code = code;
	api->attempted(&attempt);
}
