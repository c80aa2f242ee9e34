/// @file reach_core.cpp  Takes the tasks of bmd and shares them out to the ways.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nothing here lets an exception out into C.

#include "reach_core.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <string_view>

#include "bmd/alert_text.hpp"
#include "message.hpp"
#include "reach_call.h"

namespace {

constexpr int round_ms = 100;
constexpr int most_tasks = 64;        // in one round
constexpr std::size_t people = 4'096; // power of two

/// In shared memory; all zero at the beginning.
struct Shared
{
	/// By hash of the person: a terminal did not take a text, so its next refresh is worth a look.
	std::atomic<bool> owed[people];
};

const bmd_api_t *api = nullptr;
Shared *shared = nullptr;

template <class Clock> bmd::TimeUs now_of()
{
	using namespace std::chrono;
	return duration_cast<microseconds>(Clock::now().time_since_epoch()).count();
}

std::atomic<bool> &owed(std::string_view person)
{
	return shared->owed[std::hash<std::string_view>{}(person) & (people - 1)];
}

// May the terminal take it later?  What it does not understand it never will.
bool worth_trying(int code)
{
	return code == 408 || code == 480 || code == 486 || (code >= 500 && code != 501);
}

bmd::reach::Messenger &messenger()
{
	static auto *one = new bmd::reach::Messenger(*api); // lives as long as its process
	return *one;
}

void reach_task(const bmd_task &task, bmd::TimeUs now)
{
	switch(task.kind) {
		case BMD_TASK_MESSAGE:
			return messenger().step(task, now);
		case BMD_TASK_CALL:
			return reach_call(&task);
		case BMD_TASK_REGISTERED:
			return messenger().registered(task.person, now);
		case BMD_TASK_UNHEARD:
			return messenger().unheard(task.person, now);
		case BMD_TASK_CHANGED:
			reach_call_changed(&task);
			return messenger().changed(task, now);
		default:
			return messenger().everything(now);
	}
}

void copy(std::string_view text, char *to, std::size_t size)
{
	const std::string_view cut = bmd::cut_text(text, size - 1);
	std::memcpy(to, cut.data(), cut.size());
	to[cut.size()] = '\0';
}

} // namespace

size_t reach_core_memory(void)
{
	return sizeof(Shared);
}

void reach_core_init(const bmd_api_t *bound, void *memory)
{
	api = bound;
	shared = static_cast<Shared *>(memory);
}

void reach_round(void)
{
	try {
		bmd_task task{};
		for(int n = 0; n < most_tasks && api->next_task(&task, n == 0 ? round_ms : 0); ++n)
			reach_task(task, now_of<std::chrono::steady_clock>());
		messenger().due(now_of<std::chrono::steady_clock>());
	} catch(const std::exception &failure) {
		reach_log_error(failure.what());
	}
}

void reach_registered(bmd_text person, int fresh)
{
	const std::string_view name(person.s, person.len);
	if(owed(name).exchange(false) || fresh != 0)
		api->registered(person);
}

void reach_attempted(const bmd_attempt *attempt)
{
	if(worth_trying(attempt->code))
		owed(attempt->person).store(true);
	api->attempted(attempt);
}

void reach_failed(const bmd_task *task, int code)
{
	bmd_attempt attempt{};
	attempt.kind = task->kind;
	copy(task->alert, attempt.alert, sizeof attempt.alert);
	attempt.revision = task->revision;
	copy(task->person, attempt.person, sizeof attempt.person);
	attempt.sent_at = now_of<std::chrono::system_clock>();
	attempt.code = code;
	reach_attempted(&attempt);
}

int reach_alert_text(const char *alert, char *text, size_t text_size, char *line, size_t line_size)
{
	try {
		bmd_alert_view view{};
		if(api->alert({alert, std::strlen(alert)}, &view) != 1)
			return 0;
		copy(bmd::reach::message_text(*api, view), text, text_size);
		copy(bmd::reach::message_brief(view), line, line_size);
		return 1;
	} catch(const std::exception &failure) {
		reach_log_error(failure.what());
		return 0;
	}
}
