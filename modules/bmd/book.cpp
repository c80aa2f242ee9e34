/// @file book.cpp  The alert book: what happens to alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "book.hpp"

#include <cmath>
#include <cstdio>
#include <limits>

#include "bmd/threshold.hpp"
#include "changes.hpp"
#include "closed.hpp"
#include "filters.hpp"
#include "registry.hpp"
#include "slots.hpp"
#include "storm.hpp"
#include "suppress.hpp"
#include "tasks.hpp"
#include "tend.hpp"

namespace bmd {

namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

// The device's own list; the caller holds its stripe.
void link_device(Index i) noexcept
{
	Store &s = *store();
	Index &head = s.devices[s.alerts[i].device].first_alert;
	s.alerts[i].next_of_device = head;
	head = i;
}

void unlink_device(Index i) noexcept
{
	Store &s = *store();
	Index *link = &s.devices[s.alerts[i].device].first_alert;
	while(*link != 0 && *link != i)
		link = &s.alerts[*link].next_of_device;
	if(*link == i)
		*link = s.alerts[i].next_of_device;
}

std::int64_t patient_of(Index device) noexcept
{
	const Store &s = *store();
	const Index patient = s.devices[device].patient;
	return patient == 0 ? 0 : s.patients[patient].id;
}

// Is it, on its side of the limits, worse than any before?
bool is_worst(const AlertRec &alert, double value) noexcept
{
	const float worst = worst_of(alert);
	const auto now = static_cast<float>(value);
	if(std::isnan(now) || !has_worst(alert))
		return false;
	return std::isnan(worst) || (alert.condition == Condition::low ? now < worst : now > worst);
}

void take_over(AlertRec &alert, const NewAlert &seed) noexcept
{
	if(is_worst(alert, seed.value))
		set_worst(alert, seed.value);
	alert.priority = seed.priority;
	alert.value = seed.value;
	alert.limit = seed.limit;
	alert.measured_at = seed.measured_at;
	alert.arrived_at = seed.arrived_at;
}

bool same_number(double a, double b) noexcept
{
	return a == b || (std::isnan(a) && std::isnan(b));
}

std::uint32_t seconds_of(TimeUs time) noexcept
{
	return static_cast<std::uint32_t>(time / second_us);
}

std::string_view serial_of(const NewAlert &seed) noexcept
{
	return seed.name.empty() ? store()->devices[seed.device].serial : seed.name;
}

AlertRec alert_from(const NewAlert &seed) noexcept
{
	AlertRec alert{};
	copy_text(alert.serial, name_size, serial_of(seed));
	alert.id = derive_alert_id(alert.serial, seed.metric, seed.condition, seed.onset_at);
	alert.device = seed.device;
	alert.patient = patient_of(seed.device);
	alert.metric = seed.metric;
	alert.condition = seed.condition;
	alert.kind = seed.kind;
	alert.mutes = seed.mutes;
	alert.state = AlertState::active;
	set_worst(alert, no_value);
	take_over(alert, seed);
	alert.onset_at = seed.onset_at;
	alert.raised_at = alert.began_at = wall_now();
	alert.was_high = alert.priority == Priority::high;
	alert.hour = seconds_of(alert.raised_at);
	alert.begins = 1;
	return alert;
}

// No allocation: a change must be told whatever happens.
std::string_view device_feed(const AlertRec &alert) noexcept
{
	thread_local char feed[feed_size];
	std::snprintf(feed, sizeof feed, "dev.%s", alert.serial);
	return feed;
}

Actor actor_of(const Suppressor &suppressor) noexcept
{
	if(suppressor.how == Suppression::none)
		return {};
	return {suppressor.who, to_string(suppressor.how), suppressor.why};
}

// It chatters: said with the change itself, unless something else is.
Actor chatter(const Suppressor &suppressor) noexcept
{
	return suppressor.how == Suppression::none ? Actor{{}, {}, "it chatters"}
											   : actor_of(suppressor);
}

void begin_again(AlertRec &alert, std::uint16_t most_per_hour, TimeUs now) noexcept
{
	constexpr std::uint32_t hour = 3600;
	const std::uint32_t seconds = seconds_of(now);
	alert.began_at = now;
	alert.began = alert.revision + 1;
	if(seconds - alert.hour >= hour) { // also when the clock was set back
		alert.hour = seconds;
		alert.begins = 0;
	}
	if(alert.begins < UINT16_MAX)
		++alert.begins;
	const bool before = alert.chattering;
	alert.chattering = most_per_hour > 0 && alert.begins > most_per_hour;
	count(count_alerts_chattering, alert.chattering && !before ? 1 : 0);
}

// Was it cleared so little ago that it goes on?  0: no.
Index take_back(const NewAlert &seed) noexcept
{
	const Store &s = *store();
	const KeptKey key{serial_of(seed), seed.metric, seed.condition};
	const DurationUs window = s.settings.reopen.load(std::memory_order_relaxed);
	const TimeUs now = wall_now();
	const Suppression suppressed = suppressor_of(alert_from(seed), now).how;
	return take_back(key, patient_of(seed.device), now - window, seed.device, suppressed);
}

} // namespace

void record_untold(AlertRec &alert, std::string_view event, const Actor &actor, TimeUs now) noexcept
{
	++alert.revision;
	alert.changed_at = now;
	alert.was_escalated = alert.was_escalated || alert.response.step > 0
						  || alert.response.response == Response::escalated;
	if(!journal_alert(alert, event, actor))
		store()->changes_missed.store(true);
}

void record_change(AlertRec &alert, std::string_view event, const Actor &actor, TimeUs now) noexcept
{
	record_untold(alert, event, actor, now);
	if(told_by_storm(alert)) {
		put_change_task(alert); // texts may have told of it before a restart
		if(store()->devices[alert.device].watched.load())
			queue_change_to(alert, device_feed(alert));
		return;
	}
	alert.told = true;
	queue_change(alert);
}

void change_priority(AlertRec &alert, Priority priority, TimeUs now) noexcept
{
	if(alert.priority == priority)
		return;
	alert.priority_before = alert.priority;
	alert.priority = priority;
	alert.was_high = alert.was_high || priority == Priority::high;
	if(priority < alert.priority_before)
		return;
	worsen(alert.response, now);
	alert.silence_ends = 0;
}

Index raise_alert(const NewAlert &seed) noexcept
{
	Store &s = *store();
	if(const Index kept = take_back(seed); kept != 0) {
		link_device(kept);
		reopen_alert(kept, seed);
		return kept;
	}
	AlertRec alert = alert_from(seed);
	alert.revision = alert.journaled = revision_closed(alert.id);
	alert.began = alert.revision + 1;
	const Suppressor suppressor = suppressor_of(alert, alert.raised_at);
	alert.response.suppressed = suppressor.how;
	const Index i = take_slot(alert);
	if(i == 0) {
		complain(
				count_alerts_lost_memory, "the alert book is full: raise the parameter \"alerts\"");
		return 0;
	}
	link_device(i);
	count(count_alerts_raised);
	await_answer(s.alerts[i]);
	record_change(s.alerts[i], "raised", actor_of(suppressor), alert.raised_at);
	return i;
}

bool condition_gone(Index index, bool latching, TimeUs now) noexcept
{
	AlertRec &alert = store()->alerts[index];
	if(alert.state == AlertState::latched)
		return false;
	const bool dealt_with = alert.response.response == Response::acknowledged;
	if(latching && !dealt_with) {
		alert.state = AlertState::latched;
		count(count_alerts_latched);
		record_change(alert, "latched", Actor{}, now);
		return false;
	}
	end_alert(index, "cleared", Actor{}, now, dealt_with ? Ending::closed : Ending::may_come_back);
	return true;
}

void reopen_alert(Index index, const NewAlert &seed) noexcept
{
	AlertRec &alert = store()->alerts[index];
	const TimeUs now = wall_now();
	const bool was_cleared = alert.cleared_at != 0;
	alert.state = AlertState::active;
	alert.cleared_at = alert.within_since = 0;
	if(was_cleared) {
		alert.told = false; // its end was
		set_worst(alert, no_value);
		if(!taken(alert.response))
			alert.risen = 0;
		begin_again(alert, seed.most_per_hour, now);
	}
	if(!has_worst(alert))
		alert.mutes = seed.mutes;
	NewAlert again = seed;
	again.priority = risen(seed.priority, alert.risen);
	change_priority(alert, again.priority, now);
	take_over(alert, again);
	const Suppressor suppressor = suppressor_of(alert, now);
	alert.response.suppressed = suppressor.how;
	count(count_alerts_reopened);
	await_answer(alert);
	record_change(
			alert, "reopened", alert.chattering ? chatter(suppressor) : actor_of(suppressor), now);
}

void update_alert(
		Index index, const NewAlert &seed, std::string_view event, std::string_view why) noexcept
{
	AlertRec &alert = store()->alerts[index];
	if(alert.priority == seed.priority && same_number(alert.limit, seed.limit))
		return;
	const TimeUs now = wall_now();
	change_priority(alert, seed.priority, now);
	take_over(alert, seed);
	await_answer(alert);
	record_change(alert, event, {{}, {}, why}, now);
}

void follow_value(Index index, const NewAlert &seed) noexcept
{
	AlertRec &alert = store()->alerts[index];
	if(!is_worst(alert, seed.value))
		return;
	const float before = worst_of(alert);
	set_worst(alert, seed.value);
	if(!is_compared(alert.metric, alert.condition == Condition::low, before, worst_of(alert)))
		return;
	take_over(alert, seed);
	alert.value_only = true; // nobody else asked for it
	record_change(
			alert, "updated", {{}, {}, "its value has passed what a filter asks for"}, wall_now());
	alert.value_only = false;
}

void change_priority(Index index, Priority priority, TimeUs measured, TimeUs arrived) noexcept
{
	AlertRec &alert = store()->alerts[index];
	if(alert.priority == priority)
		return;
	const TimeUs now = wall_now();
	change_priority(alert, priority, now);
	alert.measured_at = measured;
	alert.arrived_at = arrived;
	record_change(alert, "priority", {{}, {}, "the device says so"}, now);
}

void end_alert(
		Index index, std::string_view event, const Actor &actor, TimeUs now, Ending ending) noexcept
{
	AlertRec &alert = store()->alerts[index];
	const bool keep = ending == Ending::may_come_back && store()->settings.reopen.load() > 0;
	alert.state = AlertState::cleared;
	alert.cleared_at = now;
	alert.closed_at = keep ? 0 : now;
	alert.response.silenced_until = 0;
	alert.silence_ends = alert.rises_at = alert.waits_since = 0;
	count(count_alerts_cleared);
	unlink_device(index);
	record_change(alert, event, actor, now);
	if(keep)
		keep_slot(index);
	else
		leave_slot(index);
}

Index restore_alert(const AlertRec &from) noexcept
{
	AlertRec alert = from;
	alert.journaled = alert.revision;
	alert.began_at = alert.raised_at;
	set_worst(alert, alert.value);
	alert.was_high = alert.priority == Priority::high || alert.priority_before == Priority::high;
	const bool may_come_back = alert.state == AlertState::cleared;
	const Index i = may_come_back ? take_kept_slot(alert) : take_slot(alert);
	if(i == 0 || may_come_back)
		return i;
	link_device(i);
	count(count_alerts_restored);
	if(from.code != 0 && from.code != store()->alerts[i].code)
		record_change(
				store()->alerts[i], "updated", {{}, {}, "its code was another's"}, wall_now());
	return i;
}

} // namespace bmd
