/// @file call_queue.cpp  Who is to be called next, and of what.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "call_queue.hpp"

#include <algorithm>

namespace bmd::reach {

// Of one that something waits for.
Priority CallQueue::urgency(const Person &person) noexcept
{
	Priority most = Priority::low;
	for(const CallAlert &alert : person.waiting)
		most = std::max(most, alert.priority);
	return most;
}

void CallQueue::ask(std::string_view name, const CallAlert &alert)
{
	Person &person = people_[std::string(name)];
	const auto same = std::find_if(person.waiting.begin(), person.waiting.end(),
			[&](const CallAlert &waiting) { return waiting.id == alert.id; });
	if(same != person.waiting.end()) {
		*same = alert;
		return;
	}
	if(person.waiting.empty())
		person.since = ++asked_;
	person.waiting.push_back(alert);
}

std::optional<std::string> CallQueue::next() const
{
	const Person *best = nullptr;
	const std::string *name = nullptr;
	for(const auto &[who, person] : people_) {
		if(person.call || person.waiting.empty())
			continue;
		const bool better = best == nullptr || urgency(person) > urgency(*best)
							|| (urgency(person) == urgency(*best) && person.since < best->since);
		if(better) {
			best = &person;
			name = &who;
		}
	}
	return name == nullptr ? std::nullopt : std::optional(*name);
}

std::vector<CallAlert> CallQueue::waiting(std::string_view name) const
{
	const auto found = people_.find(name);
	if(found == people_.end())
		return {};
	std::vector<CallAlert> alerts = found->second.waiting;
	std::stable_sort(alerts.begin(), alerts.end(),
			[](const CallAlert &a, const CallAlert &b) { return a.priority > b.priority; });
	return alerts;
}

std::vector<CallAlert> CallQueue::take(std::string_view name)
{
	std::vector<CallAlert> alerts = waiting(name);
	if(const auto found = people_.find(name); found != people_.end()) {
		found->second.waiting.clear();
		found->second.call = Priority::low;
	}
	return alerts;
}

void CallQueue::calling(std::string_view name, Priority priority)
{
	if(const auto found = people_.find(name); found != people_.end())
		found->second.call = priority;
}

void CallQueue::over(std::string_view name)
{
	const auto found = people_.find(name);
	if(found == people_.end())
		return;
	found->second.call.reset();
	if(found->second.waiting.empty())
		people_.erase(found);
}

bool CallQueue::overtaken(std::string_view name) const
{
	const auto found = people_.find(name);
	return found != people_.end() && found->second.call && !found->second.waiting.empty()
		   && urgency(found->second) > *found->second.call;
}

} // namespace bmd::reach
