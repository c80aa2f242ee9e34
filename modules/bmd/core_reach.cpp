/// @file core_reach.cpp  Messages and calls to people, behind bmd_core_reach.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nothing here lets an exception out into C.

#include "bmd_core_reach.h"
#include "delivery.hpp"
#include "tasks.hpp"

namespace {

using bmd::copy_text;
using bmd::store;

std::string_view view_of(bmd_text text)
{
	return {text.s, text.len};
}

void show_task(const bmd::SendTask &task, bmd_task &view)
{
	view = {};
	view.kind = task.how;
	if(task.alert != bmd::Uuid{})
		copy_text(view.alert, sizeof view.alert, bmd::to_string(task.alert));
	view.revision = task.revision;
	view.step = task.number;
	view.round = task.round;
	copy_text(view.person, sizeof view.person, task.person);
}

bool next_task(bmd_task &view)
{
	bmd::SendTask task{};
	if(bmd::take_task(task)) {
		show_task(task, view);
		return true;
	}
	if(!store()->tasks_missed.exchange(false))
		return false;
	view = {};
	view.kind = BMD_TASK_EVERYTHING;
	return true;
}

} // namespace

void bmd_core_take_tasks(void)
{
	store()->tasks_taken = true;
	store()->tasks_missed.store(true); // those of a server that was killed
}

int bmd_core_next_task(bmd_task *task, int milliseconds)
{
	if(next_task(*task))
		return 1;
	store()->task_waker.wait(milliseconds);
	return next_task(*task) ? 1 : 0;
}

void bmd_core_registered(bmd_text person)
{
	bmd::put_person_task(BMD_TASK_REGISTERED, view_of(person));
}

void bmd_core_attempted(const bmd_attempt *attempt)
{
	const auto alert = bmd::parse_uuid(attempt->alert);
	if(!alert)
		return;
	bmd::Delivery delivery{*alert, attempt->revision, attempt->code, attempt->sent_at,
			bmd::wall_now(), {}, {}, static_cast<std::uint8_t>(attempt->kind)};
	copy_text(delivery.user, bmd::name_size, attempt->person);
	copy_text(delivery.terminal, bmd::terminal_size, attempt->terminal);
	(void)bmd::record_delivery(delivery);
}
