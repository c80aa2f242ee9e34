/// @file book.cpp  The alert book.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "book.hpp"

#include <cmath>
#include <limits>
#include <mutex>
#include <shared_mutex>

#include "bmd_host.h"
#include "changes.hpp"
#include "registry.hpp"

namespace bmd {

namespace {

Index take_slot() noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.book_lock);
	Index i = s.alerts.free;
	if(i != 0)
		s.alerts.free = s.alerts[i].next_open;
	else if(s.alerts.used < s.alerts.size)
		i = ++s.alerts.used;
	if(i == 0)
		return 0;
	s.alerts[i] = AlertRec{};
	s.alerts[i].next_open = s.open_head;
	if(s.open_head != 0)
		s.alerts[s.open_head].prev_open = i;
	s.open_head = i;
	++s.open_count;
	return i;
}

void free_slot(Index i) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.book_lock);
	AlertRec &alert = s.alerts[i];
	if(alert.prev_open != 0)
		s.alerts[alert.prev_open].next_open = alert.next_open;
	else
		s.open_head = alert.next_open;
	if(alert.next_open != 0)
		s.alerts[alert.next_open].prev_open = alert.prev_open;
	--s.open_count;
	alert = AlertRec{};
	alert.next_open = s.alerts.free;
	s.alerts.free = i;
}

// Has the journal not taken its last change yet?
bool behind(const AlertRec &alert) noexcept
{
	return alert.journaled != alert.revision;
}

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

// Every change of an alert ends here.
void changed(AlertRec &alert, std::string_view event, const Actor &actor, TimeUs now) noexcept
{
	++alert.revision;
	alert.changed_at = now;
	(void)journal_alert(alert, event, actor);
	queue_change(alert);
}

} // namespace

Index raise_alert(const NewAlert &seed) noexcept
{
	Store &s = *store();
	const Index i = take_slot();
	if(i == 0) {
		complain(
				count_alerts_lost_memory, "the alert book is full: raise the parameter \"alerts\"");
		return 0;
	}
	AlertRec &alert = s.alerts[i];
	copy_text(alert.serial, name_size, s.devices[seed.device].serial);
	alert.id = derive_alert_id(alert.serial, seed.metric, seed.condition, seed.onset_at);
	alert.device = seed.device;
	alert.metric = seed.metric;
	alert.condition = seed.condition;
	alert.kind = seed.kind;
	alert.priority = seed.priority;
	alert.state = AlertState::active;
	alert.value = seed.value;
	alert.limit = seed.limit;
	alert.measured_at = seed.measured_at;
	alert.arrived_at = seed.arrived_at;
	alert.onset_at = seed.onset_at;
	alert.raised_at = wall_now();
	link_device(i);
	count(count_alerts_raised);
	changed(alert, "raised", Actor{}, alert.raised_at);
	return i;
}

bool condition_gone(Index index, bool latching, TimeUs now) noexcept
{
	AlertRec &alert = store()->alerts[index];
	if(alert.state == AlertState::latched)
		return false;
	if(latching) {
		alert.state = AlertState::latched;
		count(count_alerts_latched);
		changed(alert, "latched", Actor{}, now);
		return false;
	}
	end_alert(index, "cleared", Actor{}, now);
	return true;
}

namespace {

void take_over(AlertRec &alert, const NewAlert &seed) noexcept
{
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

} // namespace

void reopen_alert(Index index, const NewAlert &seed) noexcept
{
	AlertRec &alert = store()->alerts[index];
	alert.state = AlertState::active;
	take_over(alert, seed);
	changed(alert, "reopened", Actor{}, wall_now());
}

void update_alert(Index index, const NewAlert &seed) noexcept
{
	AlertRec &alert = store()->alerts[index];
	if(alert.priority == seed.priority && same_number(alert.limit, seed.limit))
		return;
	take_over(alert, seed);
	changed(alert, "updated", Actor{}, wall_now());
}

void change_priority(Index index, Priority priority, TimeUs measured, TimeUs arrived) noexcept
{
	AlertRec &alert = store()->alerts[index];
	if(alert.priority == priority)
		return;
	alert.priority = priority;
	alert.measured_at = measured;
	alert.arrived_at = arrived;
	changed(alert, "priority", Actor{}, wall_now());
}

void end_alert(Index index, std::string_view event, const Actor &actor, TimeUs now) noexcept
{
	AlertRec &alert = store()->alerts[index];
	alert.state = AlertState::cleared;
	alert.cleared_at = now;
	count(count_alerts_cleared);
	unlink_device(index);
	changed(alert, event, actor, now);
	if(behind(alert)) {
		// Its end must reach the database: it keeps its slot until rejournal() has room.
		return;
	}
	free_slot(index);
}

Index restore_alert(const AlertRec &from) noexcept
{
	Store &s = *store();
	const Index i = take_slot();
	if(i == 0)
		return 0;
	AlertRec &alert = s.alerts[i];
	const Index next = alert.next_open;
	const Index prev = alert.prev_open;
	alert = from;
	alert.next_open = next;
	alert.prev_open = prev;
	alert.journaled = alert.revision;
	link_device(i);
	count(count_alerts_restored);
	return i;
}

namespace {

// False when the journal has no room still.
bool rejournal_one(Index i) noexcept
{
	Store &s = *store();
	AlertRec &alert = s.alerts[i];
	const std::lock_guard<Mutex> guard(s.stripe[alert.device % stripes]);
	if(alert.serial[0] == '\0' || !behind(alert))
		return true;
	const bool over = alert.state == AlertState::cleared;
	if(!journal_alert(alert, over ? "cleared" : "updated", Actor{}))
		return false;
	if(over)
		free_slot(i);
	return true;
}

} // namespace

void rejournal() noexcept
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	// Looked at without its lock first: a stale look costs one round.
	for(Index i = 1; i <= s.alerts.used; ++i)
		if(behind(s.alerts[i]) && !rejournal_one(i))
			return;
}

namespace {

std::optional<double> number(double value) noexcept
{
	return std::isnan(value) ? std::nullopt : std::optional<double>(value);
}

} // namespace

void describe_alert(const AlertRec &alert, AlertView &view)
{
	const Store &s = *store();
	view.id = to_string(alert.id);
	view.serial = alert.serial;
	view.metric = metric_name(alert.metric);
	view.condition = alert.condition;
	view.kind = alert.kind;
	view.priority = alert.priority;
	view.state = alert.state;
	view.value = number(alert.value);
	view.limit = number(alert.limit);
	const MetricInfo *metric = metric_info(alert.metric);
	view.unit = metric == nullptr ? std::string_view{} : metric->ucum;
	view.measured_at = alert.measured_at;
	view.arrived_at = alert.arrived_at;
	view.onset_at = alert.onset_at;
	view.raised_at = alert.raised_at;
	view.changed_at = alert.changed_at;
	view.cleared_at = alert.cleared_at;
	view.revision = alert.revision;
	const Index device = find_device(alert.serial);
	if(device == 0)
		return;
	view.device_type = s.types[s.devices[device].type].name;
	view.location = text_of(s.devices[device].location);
	if(const Index patient = s.devices[device].patient; patient != 0) {
		view.patient_name = text_of(s.patients[patient].name);
		view.patient_address = text_of(s.patients[patient].address);
	}
}

} // namespace bmd
