/// @file tasks.cpp  What is to be told by message or call, on its way to the module that does it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "tasks.hpp"

#include <new>

#include "delivery.hpp"
#include "reached.hpp"
#include "subs.hpp"

namespace bmd {

bool put_task(const SendTask &task) noexcept
{
	Store &s = *store();
	const bool of_step = task.how == BMD_TASK_MESSAGE || task.how == BMD_TASK_CALL;
	if(tasks_are_taken() && of_step)
		note_asked(task.alert, task.person, static_cast<ReachedBy>(task.how));
	std::uint64_t ticket = 0;
	void *place = s.tasks.reserve(ticket, of_step ? 0 : s.tasks.capacity() / 4);
	if(place == nullptr) {
		s.tasks_missed.store(true);
		complain(count_escalation_tasks_lost, "messages and calls find no room to wait");
	} else {
		new (place) SendTask(task);
		s.tasks.publish(ticket);
	}
	if(tasks_are_taken())
		s.task_waker.wake();
	return place != nullptr;
}

bool tasks_have_room() noexcept
{
	return store()->tasks.used() < store()->tasks.capacity();
}

void put_person_task(bmd_task_kind kind, std::string_view person) noexcept
{
	SendTask task{};
	task.how = kind;
	copy_text(task.person, name_size, person);
	if(tasks_are_taken())
		(void)put_task(task);
}

void put_change_task(const AlertRec &alert) noexcept
{
	if(!tasks_are_taken() || store()->reached.used == 0 || !was_asked(alert.id))
		return;
	SendTask task{alert.id, alert.revision, 0, 0, BMD_TASK_CHANGED, {}};
	if(taken(alert.response))
		copy_text(task.person, name_size, alert.response.by);
	(void)put_task(task);
}

bool tasks_are_taken() noexcept
{
	return store()->tasks_taken;
}

bool take_task(SendTask &task) noexcept
{
	Store &s = *store();
	std::uint64_t at = s.tasks.tail();
	const auto *next = static_cast<const SendTask *>(s.tasks.next(at));
	if(next == nullptr)
		return false;
	task = *next;
	s.tasks.release(at);
	return true;
}

void drain_tasks() noexcept
{
	SendTask task{};
	while(!tasks_are_taken() && take_task(task)) {
		count(count_escalation_tasks_not_sent);
		const TimeUs now = wall_now();
		Delivery delivery{task.alert, task.revision, not_sent, now, now, {}, {}, task.how};
		copy_text(delivery.user, name_size, task.person);
		record_delivery(delivery);
	}
}

} // namespace bmd
