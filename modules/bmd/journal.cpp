/// @file journal.cpp  Queues changes of alerts for the writer.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "journal.hpp"

#include <unistd.h>

#include <algorithm>
#include <new>
#include <string>

#include "bmd/words.hpp"
#include "bmd_host.h"
#include "registry.hpp"
#include "storm.hpp"

namespace bmd {

namespace {

// Slots that readings leave: to what those under way in other processes still cause, to timers and
// to operators.
std::size_t left_free() noexcept
{
	return std::max<std::size_t>(store()->alert_events.capacity() / 8, 256);
}

// Of these the last ones are for the answers of people: what the system does can be made up for.
std::size_t for_answers() noexcept
{
	return std::min<std::size_t>(store()->alert_events.capacity() / 16, 64);
}

std::size_t free_slots() noexcept
{
	const SlotRing &ring = store()->alert_events;
	return ring.capacity() - ring.used();
}

constexpr int look_again_us = 500;

// Of this process, which does one thing at a time.
std::uint64_t queued_here = 0;
bool history_held = false;

void add_words(AlertEvent &event, Index device) noexcept
{
	const Store &s = *store();
	if(device == 0)
		return;
	const DeviceRec &from = s.devices[device];
	event.device = from.database_id;
	copy_text(event.type, name_size, s.types[from.type].name);
	copy_text(event.location, location_size, from.location);
	const Index patient = find_patient(event.alert.patient);
	if(patient == 0)
		return;
	copy_text(event.patient_name, patient_name_size, s.patients[patient].name);
	copy_text(event.patient_address, patient_address_size, s.patients[patient].address);
}

// By whom and through what, where no event will ever say it.
void log_answer(const AlertRec &alert, std::string_view name, const Actor &actor) noexcept
{
	count(count_answers_without_event);
	try {
		bmd_host_log(
				BMD_LOG_WARNING, ("answer: the journal is full: alert " + to_string(alert.id) + " "
										 + std::string(name) + " by " + std::string(actor.who)
										 + " through " + std::string(actor.through))
										 .c_str());
	} catch(const std::bad_alloc &) {
		return; // it has been counted
	}
}

} // namespace

bool journal_alert(AlertRec &alert, std::string_view name, const Actor &actor) noexcept
{
	Store &s = *store();
	std::uint64_t ticket = 0;
	void *slot = history_held && !actor.person
						 ? nullptr
						 : s.alert_events.reserve(ticket, actor.person ? 0 : for_answers());
	if(slot == nullptr) {
		if(actor.person)
			log_answer(alert, name, actor);
		return false;
	}
	alert.journaled = alert.revision;
	++queued_here;
	AlertEvent &event = *new (slot) AlertEvent();
	event.alert = alert;
	event.alert.rises_at = wall_of(alert.rises_at);
	event.part_of = storm_of(alert);
	copy_text(event.event, sizeof event.event, name);
	copy_text(event.who, sizeof event.who, actor.who);
	copy_text(event.through, sizeof event.through, actor.through);
	copy_text(event.why, sizeof event.why, actor.why);
	add_words(event, find_device(alert.serial));
	// One text that the database does not take would hold up everybody's events.
	for(char *text : {event.who, event.why, event.type, event.location, event.patient_name,
				event.patient_address})
		mend_words(text);
	s.alert_events.publish(ticket);
	s.writer_waker.wake();
	return true;
}

void journal_waits_over(std::int32_t device, MetricId metric) noexcept
{
	Store &s = *store();
	ByteRing::Block *block = s.journal.reserve(sizeof(BatchRec) + sizeof(ReadingRec));
	if(block == nullptr)
		return;
	auto &head = *static_cast<BatchRec *>(block->data());
	head = BatchRec{wall_now(), no_readings, 0, 0, 1};
	constexpr auto over = static_cast<std::uint8_t>(Wait::over);
	*reinterpret_cast<ReadingRec *>(&head + 1) =
			ReadingRec{head.arrived_at, 0, device, metric, 0, 0, over, over};
	ByteRing::publish(block);
	s.writer_waker.wake();
}

bool journal_has_room_for(std::size_t changes) noexcept
{
	return free_slots() >= for_answers() + changes;
}

bool journal_has_room_for_alerts() noexcept
{
	return free_slots() > left_free();
}

bool changes_over_share(const CollectorShare *share) noexcept
{
	const SlotRing &ring = store()->alert_events;
	return share != nullptr && share->changes.waiting(ring.tail()) > ring.capacity() / 4;
}

bool readings_over_share(const CollectorShare *share) noexcept
{
	const ByteRing &ring = store()->journal;
	return share != nullptr && share->readings.waiting(ring.tail()) > ring.capacity() / 2;
}

bool wait_for_room_for_alerts(TimeUs until) noexcept
{
	while(!journal_has_room_for_alerts()) {
		if(store()->database_up.load() == 0 || mono_now() > until)
			return false;
		store()->writer_waker.wake();
		usleep(look_again_us);
	}
	return true;
}

void hold_history(bool held) noexcept
{
	history_held = held;
}

std::uint64_t journaled_here() noexcept
{
	return queued_here;
}

} // namespace bmd
