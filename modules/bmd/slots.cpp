/// @file slots.cpp  The slots of the alert book.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "slots.hpp"

#include <cstring>
#include <mutex>

#include "bmd/code.hpp"
#include "changes.hpp"
#include "rejections.hpp"
#include "table.hpp"

namespace bmd {

namespace {

constexpr std::uint32_t codes_near = 64; // tried for an id before any other one

// The list `next_open` and `prev_open` link, at whose head `head` is.
void unlink(Index i, Index &head, Index *tail) noexcept
{
	Store &s = *store();
	const AlertRec &alert = s.alerts[i];
	(alert.prev_open != 0 ? s.alerts[alert.prev_open].next_open : head) = alert.next_open;
	if(alert.next_open != 0)
		s.alerts[alert.next_open].prev_open = alert.prev_open;
	else if(tail != nullptr)
		*tail = alert.prev_open;
}

void unlink_open(Index i) noexcept
{
	unlink(i, store()->open_head, nullptr);
	--store()->open_count;
}

void link_open(Index i) noexcept
{
	Store &s = *store();
	s.alerts[i].list = AlertList::open;
	s.alerts[i].prev_open = 0;
	s.alerts[i].next_open = s.open_head;
	if(s.open_head != 0)
		s.alerts[s.open_head].prev_open = i;
	s.open_head = i;
	++s.open_count;
	EscalationRec &escalation = s.escalation[i];
	escalation.opened = ++s.opened;
	forget_rejections(i);
	if(escalation.alert == s.alerts[i].id)
		return; // it comes back
	escalation.alert = {};
	escalation.flags.store(0);
}

void free_slot(Index i) noexcept
{
	Store &s = *store();
	s.alerts[i] = AlertRec{};
	s.alerts[i].next_open = s.alerts.free;
	s.alerts.free = i;
}

std::uint32_t near_code(const Uuid &id, std::uint32_t distance) noexcept
{
	const std::string_view bytes(reinterpret_cast<const char *>(id.data()), id.size());
	return static_cast<std::uint32_t>((hash_name(bytes) + distance) % codes) + 1;
}

void link_code(Index i) noexcept
{
	Store &s = *store();
	AlertRec &alert = s.alerts[i];
	if(alert.code != 0 && find_by_code(alert.code) != 0)
		alert.code = 0; // a restored one: its code is another's by now
	for(std::uint32_t n = 0; alert.code == 0; ++n)
		if(const std::uint32_t code = near_code(alert.id, n); find_by_code(code) == 0)
			alert.code = code;
	Index &head = bucket(s.code_hash, alert.code);
	alert.next_code = head;
	head = i;
}

void unlink_code(Index i) noexcept
{
	Store &s = *store();
	Index *link = &bucket(s.code_hash, s.alerts[i].code);
	while(*link != 0 && *link != i)
		link = &s.alerts[*link].next_code;
	if(*link == i)
		*link = s.alerts[i].next_code;
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
	s.alerts[i].list = AlertList::ended;
	s.alerts[i].next_open = 0;
	(list.tail != 0 ? s.alerts[list.tail].next_open : list.head) = i;
	list.tail = i;
	++s.ended_count;
}

void end_slot(Index i) noexcept
{
	unlink_code(i);
	if(behind(store()->alerts[i]))
		append_ended(i);
	else
		free_slot(i);
}

Index &bucket_of(std::string_view serial) noexcept
{
	return bucket(store()->kept_hash, hash_name(serial));
}

Index find_kept(const KeptKey &key) noexcept
{
	const Store &s = *store();
	const auto same = [&](const AlertRec &alert) {
		return alert.metric == key.metric && alert.condition == key.condition
			   && key.serial == alert.serial;
	};
	Index i = bucket_of(key.serial);
	while(i != 0 && !same(s.alerts[i]))
		i = s.alerts[i].next_of_device;
	return i;
}

void link_kept(Index i) noexcept
{
	Store &s = *store();
	s.alerts[i].list = AlertList::kept;
	s.alerts[i].next_open = 0;
	s.alerts[i].prev_open = s.kept.tail;
	(s.kept.tail != 0 ? s.alerts[s.kept.tail].next_open : s.kept.head) = i;
	s.kept.tail = i;
	Index &head = bucket_of(s.alerts[i].serial);
	s.alerts[i].next_of_device = head;
	head = i;
	++s.kept_count;
}

void unlink_kept(Index i) noexcept
{
	Store &s = *store();
	Index *link = &bucket_of(s.alerts[i].serial);
	while(*link != 0 && *link != i)
		link = &s.alerts[*link].next_of_device;
	if(*link == i)
		*link = s.alerts[i].next_of_device;
	unlink(i, s.kept.head, &s.kept.tail);
	--s.kept_count;
}

// A place for a new alert: what may only come back goes first; then, since telling people comes
// before history, what the database never heard of, then what has ended.
void give_up_one() noexcept
{
	Store &s = *store();
	if(s.kept.head != 0) {
		count(count_alerts_kept_too_short);
		close_kept_slot(
				s.kept.head, "closed", {{}, {}, "condition gone; no room to keep it"}, wall_now());
		if(s.alerts.free != 0)
			return;
	}
	for(EndedList &list : s.ended)
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
		give_up_one();
	const Index i = s.alerts.free;
	if(i != 0)
		s.alerts.free = s.alerts[i].next_open;
	return i;
}

} // namespace

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

// Others find the alert as soon as it is in the list: so it comes whole.
Index take_slot(const AlertRec &alert) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.book_lock);
	// The last sixteenth is for what is urgent.
	const bool urgent =
			alert.priority == Priority::high && alert.response.suppressed == Suppression::none;
	const std::size_t kept = urgent ? 0 : s.alerts.size / 16;
	const Index i = s.open_count + kept < s.alerts.size ? find_slot() : 0;
	if(i == 0)
		return 0;
	s.alerts[i] = alert;
	link_code(i);
	link_open(i);
	return i;
}

Index take_kept_slot(const AlertRec &alert) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.book_lock);
	const Index i = s.open_count + s.kept_count < s.alerts.size ? find_slot() : 0;
	if(i == 0)
		return 0;
	s.alerts[i] = alert;
	link_code(i);
	link_kept(i);
	return i;
}

void leave_slot(Index i) noexcept
{
	const std::lock_guard<Mutex> guard(store()->book_lock);
	unlink_open(i);
	end_slot(i);
}

void keep_slot(Index i) noexcept
{
	const std::lock_guard<Mutex> guard(store()->book_lock);
	unlink_open(i);
	link_kept(i);
}

Index take_back(const KeptKey &key, std::int64_t patient, TimeUs since, Index device,
		Suppression suppressed) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.book_lock);
	const Index i = find_kept(key);
	if(i == 0 || s.alerts[i].patient != patient || s.alerts[i].cleared_at <= since)
		return 0;
	unlink_kept(i);
	AlertRec &alert = s.alerts[i];
	alert.device = device; // its slot may be another since the alert was restored
	// Others find it as soon as it is in the list: by then it is an open one.
	alert.state = AlertState::active;
	come_back(alert.response, wall_now());
	alert.response.suppressed = suppressed;
	link_open(i);
	return i;
}

void close_kept_slot(
		Index i, std::string_view event, const Actor &actor, TimeUs now, bool tell) noexcept
{
	AlertRec &alert = store()->alerts[i];
	unlink_kept(i);
	alert.closed_at = alert.changed_at = now;
	++alert.revision;
	if(!journal_alert(alert, event, actor))
		store()->changes_missed.store(true);
	if(tell)
		queue_change(alert);
	end_slot(i);
}

void close_kept(std::string_view serial, std::string_view why) noexcept
{
	const Store &s = *store();
	const std::lock_guard<Mutex> guard(store()->book_lock);
	for(Index i = bucket_of(serial); i != 0;) {
		const Index next = s.alerts[i].next_of_device;
		if(serial == s.alerts[i].serial)
			close_kept_slot(i, "closed", {{}, {}, why}, wall_now());
		i = next;
	}
}

void close_old_kept(TimeUs until, TimeUs now) noexcept
{
	constexpr int at_once = 256; // under one lock
	Store &s = *store();
	for(bool more = true; more;) {
		const std::lock_guard<Mutex> guard(s.book_lock);
		for(int n = 0; n < at_once && more; ++n) {
			const Index i = s.kept.head;
			more = i != 0 && (s.alerts[i].cleared_at <= until || s.alerts[i].cleared_at > now);
			if(more)
				close_kept_slot(i, "closed", {{}, {}, "condition gone"}, now);
		}
	}
}

Index find_by_code(std::uint32_t code) noexcept
{
	Store &s = *store();
	Index i = bucket(s.code_hash, code);
	while(i != 0 && s.alerts[i].code != code)
		i = s.alerts[i].next_code;
	return i;
}

Index find_by_id(const Uuid &id) noexcept
{
	const Store &s = *store();
	for(std::uint32_t n = 0; n < codes_near; ++n)
		if(const Index i = find_by_code(near_code(id, n)); i != 0 && s.alerts[i].id == id)
			return i;
	for(Index i = s.open_head; i != 0; i = s.alerts[i].next_open)
		if(s.alerts[i].id == id)
			return i;
	return 0;
}

} // namespace bmd
