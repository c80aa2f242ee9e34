/// @file escalate_call.cpp  Calls of a step that must not be lost: by a stop, or for want of room.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <mutex>

#include "escalate.hpp"
#include "reached.hpp"
#include "slots.hpp"
#include "tasks.hpp"

namespace bmd {

namespace {

bool waits(const Uuid &id)
{
	Store &s = *store();
	const std::lock_guard<Mutex> book(s.book_lock);
	const Index slot = find_by_id(id);
	return slot != 0 && escalation_wanted(s.alerts[slot]) == Wanted::go_on;
}

} // namespace

void Escalator::ask(
		const AlertRec &alert, const Step &step, std::string_view person, std::uint8_t how)
{
	count(count_escalation_tasks);
	SendTask task{
			alert.id, alert.revision, step.number + 1, round_of(step.policy, step.number), how, {}};
	copy_text(task.person, name_size, person);
	if(!put_task(task) && how == how_call)
		unasked_.push_back(task);
}

// Nothing else would ask for them before the step repeats.
void Escalator::ask_unasked()
{
	while(!unasked_.empty() && tasks_have_room()) {
		const SendTask task = unasked_.front();
		if(waits(task.alert) && !put_task(task))
			return;
		unasked_.pop_front();
	}
}

bool Escalator::last_step(Index slot, Step &step) const
{
	const std::uint32_t begun = store()->escalation[slot].begun;
	if(begun == 0)
		return false;
	step.number = begun - 1;
	if(!prepare(slot, step))
		return false;
	spare_rejecters(slot, step);
	return true;
}

// A server before this one was stopped when the calls of the last step were asked for or ringing.
void Escalator::call_again(Index slot)
{
	auto &flags = store()->escalation[slot].flags;
	Step step;
	AlertRec alert;
	if((flags.load() & escalation_call) == 0 || !last_step(slot, step)
			|| !copy_alert(slot, tracked_.at(slot).alert, alert))
		return;
	flags.fetch_and(static_cast<std::uint8_t>(~escalation_call));
	if((step.what().how & how_call) == 0)
		return;
	for(const std::string &name : step.reached.feeds)
		if(!name.starts_with("grp.") && !was_called(alert.id, name))
			ask(alert, step, name, how_call);
}

} // namespace bmd
