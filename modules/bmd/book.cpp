/// @file book.cpp  The alert book.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "book.hpp"

#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <shared_mutex>

#include "bmd_host.h"
#include "changes.hpp"
#include "registry.hpp"

namespace bmd {

namespace {

// The lists of slots in use: open alerts, newest first, and alerts that are over but whose end the
// journal has not taken yet, oldest first.  A slot is in one of them or free; the book lock guards
// them all.

void unlink_open(Index i) noexcept
{
	Store &s = *store();
	const AlertRec &alert = s.alerts[i];
	if(alert.prev_open != 0)
		s.alerts[alert.prev_open].next_open = alert.next_open;
	else
		s.open_head = alert.next_open;
	if(alert.next_open != 0)
		s.alerts[alert.next_open].prev_open = alert.prev_open;
	--s.open_count;
}

void free_slot(Index i) noexcept
{
	Store &s = *store();
	s.alerts[i] = AlertRec{};
	s.alerts[i].next_open = s.alerts.free;
	s.alerts.free = i;
}

// Which list of the ended: 1 when the journal has taken that it was raised, so that the database
// must learn of its end; 0 when the database never heard of it.
int list_of(const AlertRec &alert) noexcept
{
	return alert.journaled == 0 ? 0 : 1;
}

void append_ended(Index i) noexcept
{
	Store &s = *store();
	EndedList &list = s.ended[list_of(s.alerts[i])];
	s.alerts[i].next_open = 0;
	(list.tail != 0 ? s.alerts[list.tail].next_open : list.head) = i;
	list.tail = i;
	++s.ended_count;
}

// The oldest of a list leaves its slot.
void free_ended(EndedList &list) noexcept
{
	Store &s = *store();
	const Index i = list.head;
	list.head = s.alerts[i].next_open;
	if(list.head == 0)
		list.tail = 0;
	--s.ended_count;
	free_slot(i);
}

// Telling people comes before history; what the database never heard of goes first.
void give_up_ended() noexcept
{
	for(EndedList &list : store()->ended)
		if(list.head != 0) {
			count(count_alert_history_lost);
			return free_ended(list);
		}
}

// A free slot; 0 when there is none.
Index find_slot() noexcept
{
	Store &s = *store();
	if(s.alerts.free == 0 && s.alerts.used < s.alerts.size)
		return ++s.alerts.used;
	if(s.alerts.free == 0)
		give_up_ended();
	const Index i = s.alerts.free;
	if(i != 0)
		s.alerts.free = s.alerts[i].next_open;
	return i;
}

// Others find the alert as soon as it is in the list: so it comes whole.
Index take_slot(const AlertRec &alert) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.book_lock);
	// The last sixteenth is for what is urgent.
	const std::size_t kept = alert.priority == Priority::high ? 0 : s.alerts.size / 16;
	const Index i = s.open_count + kept < s.alerts.size ? find_slot() : 0;
	if(i == 0)
		return 0;
	s.alerts[i] = alert;
	s.alerts[i].prev_open = 0;
	s.alerts[i].next_open = s.open_head;
	if(s.open_head != 0)
		s.alerts[s.open_head].prev_open = i;
	s.open_head = i;
	++s.open_count;
	return i;
}

// Has the journal not taken its last change yet?
bool behind(const AlertRec &alert) noexcept
{
	return alert.journaled != alert.revision;
}

// It is over: its slot is free, or waits until its end has been journaled.
void leave_slot(Index i) noexcept
{
	const std::lock_guard<Mutex> guard(store()->book_lock);
	unlink_open(i);
	if(behind(store()->alerts[i]))
		append_ended(i);
	else
		free_slot(i);
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
	if(!journal_alert(alert, event, actor))
		store()->changes_missed.store(true);
	queue_change(alert);
}

} // namespace

Index raise_alert(const NewAlert &seed) noexcept
{
	Store &s = *store();
	AlertRec alert{};
	copy_text(alert.serial, name_size, s.devices[seed.device].serial);
	alert.id = derive_alert_id(alert.serial, seed.metric, seed.condition, seed.onset_at);
	alert.device = seed.device;
	if(const Index patient = s.devices[seed.device].patient; patient != 0)
		alert.patient = s.patients[patient].id;
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
	const Index i = take_slot(alert);
	if(i == 0) {
		complain(
				count_alerts_lost_memory, "the alert book is full: raise the parameter \"alerts\"");
		return 0;
	}
	link_device(i);
	count(count_alerts_raised);
	changed(s.alerts[i], "raised", Actor{}, alert.raised_at);
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
	leave_slot(index);
}

Index restore_alert(const AlertRec &from) noexcept
{
	AlertRec alert = from;
	alert.journaled = alert.revision;
	const Index i = take_slot(alert);
	if(i == 0)
		return 0;
	link_device(i);
	count(count_alerts_restored);
	return i;
}

namespace {

// What happened to an alert since the journal last took it: that it was raised, and how it is now.
// False when there is no room still.
bool journal_again(AlertRec &alert) noexcept
{
	if(alert.journaled == 0 && alert.revision > 1) {
		// both or none: what the database knows to be raised must end there
		if(store()->alert_events.capacity() - store()->alert_events.used() < 2)
			return false;
		AlertRec first = alert;
		first.revision = 1;
		first.state = AlertState::active;
		first.changed_at = first.raised_at;
		first.cleared_at = 0;
		if(!journal_alert(first, "raised", Actor{}))
			return false;
		alert.journaled = 1;
	}
	const bool over = alert.state == AlertState::cleared;
	const char *event = over ? "cleared" : alert.revision == 1 ? "raised" : "updated";
	return journal_alert(alert, event, Actor{});
}

// The device is read before its lock is held: that the slot is still its own is seen only then.
bool rejournal_open(Index i) noexcept
{
	Store &s = *store();
	AlertRec &alert = s.alerts[i];
	const Index device = std::atomic_ref<Index>(alert.device).load(std::memory_order_relaxed);
	if(device == 0)
		return true;
	const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
	if(alert.device != device || alert.state == AlertState::cleared || !behind(alert))
		return true;
	return journal_again(alert);
}

bool rejournal_ended(int number) noexcept
{
	Store &s = *store();
	EndedList &list = s.ended[number];
	const std::lock_guard<Mutex> guard(s.book_lock);
	if(list.head == 0 || !journal_again(s.alerts[list.head]))
		return false;
	free_ended(list);
	return true;
}

} // namespace

void rejournal() noexcept
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	for(const int known : {1, 0})
		while(rejournal_ended(known)) {
		}
	if(!s.changes_missed.exchange(false))
		return;
	// Looked at without its lock first: a stale look costs one round.
	for(Index i = 1; i <= s.alerts.used; ++i)
		if(behind(s.alerts[i]) && !rejournal_open(i)) {
			s.changes_missed.store(true);
			return;
		}
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
	// not the device's: it may serve another by now
	if(const Index patient = find_patient(alert.patient); patient != 0) {
		view.patient_name = text_of(s.patients[patient].name);
		view.patient_address = text_of(s.patients[patient].address);
	}
}

} // namespace bmd
