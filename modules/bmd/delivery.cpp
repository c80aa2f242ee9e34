/// @file delivery.cpp  Follows documents to their terminals.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "delivery.hpp"

#include <new>

#include "bmd_host.h"
#include "reached.hpp"
#include "subs.hpp"
#include "tasks.hpp"

namespace bmd {

namespace {

// In shared memory; `marks` follow.
struct Ticket
{
	SubRef sub;
	TimeUs sent_at;
	std::uint32_t marks;
	bool ends;     ///< the subscription
	bool answered; ///< or it will never be
	char user[name_size];
	char terminal[terminal_size];
};

// Of this process.
struct Sending
{
	bool active = false;
	bool winfo = false;
	SubRef to;
	NotifyState state = NotifyState::active;
	char user[name_size] = {};
	std::vector<AlertMark> marks;
};
Sending sending;

void fill(Ticket &ticket, std::string_view terminal) noexcept
{
	ticket.sub = sending.to;
	ticket.sent_at = wall_now();
	ticket.marks = static_cast<std::uint32_t>(sending.marks.size());
	ticket.ends = notify_state() >= NotifyState::rejected;
	copy_text(ticket.user, name_size, sending.user);
	copy_text(ticket.terminal, terminal_size, terminal);
}

// Whom nothing was told by it is to be told otherwise at once.
void follow(const Ticket &ticket, const AlertMark *marks, int code) noexcept
{
	const TimeUs now = wall_now();
	const bool taken = code >= 200 && code < 300;
	for(std::uint32_t i = 0; taken && i < ticket.marks; ++i)
		note_delivered(marks[i].alert, ticket.user, ReachedBy::subscription, now);
	if(!taken && ticket.marks > 0)
		put_person_task(BMD_TASK_UNHEARD, ticket.user);
}

void record(const Ticket &ticket, const AlertMark *marks, int code) noexcept
{
	follow(ticket, marks, code);
	Store &s = *store();
	const TimeUs now = wall_now();
	for(std::uint32_t i = 0; i < ticket.marks; ++i) {
		Delivery delivery{marks[i].alert, marks[i].revision, code, ticket.sent_at, now, {}, {}, 0};
		copy_text(delivery.user, name_size, ticket.user);
		copy_text(delivery.terminal, terminal_size, ticket.terminal);
		(void)record_delivery(delivery);
	}
	// no hurry, and a fan-out should not wake the writer with every answer
	if(s.deliveries.used() > s.deliveries.capacity() / 2)
		s.writer_waker.wake();
}

} // namespace

bool record_delivery(const Delivery &delivery) noexcept
{
	std::uint64_t place = 0;
	void *slot = store()->deliveries.reserve(place);
	if(slot == nullptr) {
		count(count_deliveries_dropped);
		return false;
	}
	new (slot) Delivery(delivery);
	store()->deliveries.publish(place);
	return true;
}

void begin_sending(SubRef to, std::string_view user) noexcept
{
	sending.active = true;
	sending.winfo = false;
	sending.to = to;
	sending.state = NotifyState::active;
	copy_text(sending.user, name_size, user);
	sending.marks.clear();
}

void end_sending() noexcept
{
	sending.active = false;
}

std::string_view sending_to() noexcept
{
	return sending.active ? std::string_view(sending.user) : std::string_view();
}

SubRef sending_in() noexcept
{
	return sending.active ? sending.to : SubRef{};
}

void set_notify_state(NotifyState state) noexcept
{
	sending.state = state;
}

NotifyState notify_state() noexcept
{
	return sending.active ? sending.state : NotifyState::active;
}

void set_sending_winfo() noexcept
{
	sending.winfo = true;
}

bool sending_winfo() noexcept
{
	return sending.active && sending.winfo;
}

void document_holds(const std::vector<AlertMark> &alerts)
{
	sending.marks = alerts;
}

void *make_ticket(std::string_view terminal) noexcept
{
	if(!sending.active)
		return nullptr;
	void *memory = bmd_host_shm_alloc(sizeof(Ticket) + sending.marks.size() * sizeof(AlertMark));
	if(memory == nullptr) {
		count(count_deliveries_dropped, sending.marks.size());
		return nullptr;
	}
	auto &ticket = *new (memory) Ticket{};
	fill(ticket, terminal);
	auto *marks = reinterpret_cast<AlertMark *>(&ticket + 1);
	for(const AlertMark &mark : sending.marks)
		new (marks++) AlertMark(mark);
	notify_sent(ticket.sub);
	return memory;
}

void free_ticket(void *memory) noexcept
{
	if(const auto &ticket = *static_cast<const Ticket *>(memory); !ticket.answered)
		notify_gone(ticket.sub);
	bmd_host_shm_free(memory);
}

bool ticket_ends(const void *memory) noexcept
{
	return static_cast<const Ticket *>(memory)->ends;
}

void ticket_answered(void *memory, int code) noexcept
{
	auto &ticket = *static_cast<Ticket *>(memory);
	ticket.answered = true;
	notify_answered(ticket.sub, code, true);
	record(ticket, reinterpret_cast<AlertMark *>(&ticket + 1), code);
}

void sending_failed() noexcept
{
	Ticket ticket{};
	fill(ticket, {});
	notify_answered(ticket.sub, not_sent, false);
	record(ticket, sending.marks.data(), not_sent);
}

} // namespace bmd
