/// @file core_reach.cpp  Messages and calls to people, behind bmd_core_reach.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nothing here lets an exception out into C.

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>

#include "answer.hpp"
#include "bmd_core_reach.h"
#include "core_bridge.hpp"
#include "delivery.hpp"
#include "documents.hpp"
#include "duty_text.hpp"
#include "escalation_wanted.hpp"
#include "permits.hpp"
#include "reached.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "tasks.hpp"
#include "view.hpp"
#include "watching.hpp"

namespace {

using bmd::copy_text;
using bmd::guarded;
using bmd::Index;
using bmd::ReachedBy;
using bmd::ReachedRec;
using bmd::store;
using bmd::view_of;

using Registry = std::shared_lock<bmd::RwLock>;

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

void count_outcome(const bmd_attempt &attempt)
{
	const bool taken = attempt.code >= 200 && attempt.code < 300;
	if(attempt.kind == BMD_TASK_CALL)
		count(taken ? bmd::count_calls_delivered : bmd::count_calls_failed);
	else if(attempt.terminal[0] == '\0' && attempt.code == 480)
		count(bmd::count_messages_owed);
	else
		count(taken ? bmd::count_messages_delivered : bmd::count_messages_failed);
}

int told_by(const bmd::AlertRec &alert)
{
	if(alert.state == bmd::AlertState::cleared)
		return BMD_TOLD_OVER;
	if(taken(alert.response))
		return BMD_TOLD_TAKEN;
	return bmd::told_waiting(alert.priority);
}

// A terminal took a text; the alert may have changed since that was written, or while the server
// was down.
void check_told(const bmd::Uuid &id, int told)
{
	bmd::AlertRec alert{};
	const Registry registry(store()->registry_lock);
	if(bmd::find_alert(bmd::to_string(id), alert) == 0) {
		alert.id = id;
		alert.state = bmd::AlertState::cleared;
	}
	if(told != told_by(alert))
		bmd::put_change_task(alert);
}

void check_everything_told()
{
	for(const auto &[alert, told] : bmd::all_told())
		check_told(alert, told);
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
	check_everything_told();
	view = {};
	view.kind = BMD_TASK_EVERYTHING;
	return true;
}

void remember(const bmd::Uuid &alert, const bmd_attempt &attempt)
{
	const bool taken = attempt.code >= 200 && attempt.code < 300;
	const bmd::TimeUs now = bmd::wall_now();
	if(attempt.kind == BMD_TASK_CALL && taken)
		note_delivered(alert, attempt.person, ReachedBy::call, now);
	if(attempt.kind != BMD_TASK_MESSAGE || attempt.terminal[0] == '\0')
		return;
	bmd::note_message(alert, {attempt.person, bmd::hash_name(attempt.terminal), attempt.instance,
									 static_cast<std::uint8_t>(attempt.told), taken, now});
	if(taken)
		check_told(alert, attempt.told);
}

// Its device may have gone.
bool is_there(const bmd::AlertRec &alert)
{
	return bmd::is_of_no_device(alert.condition) || bmd::find_device(alert.serial) != 0;
}

// What nobody has taken and no subscription shows the person.
std::vector<bmd::AlertRec> outstanding(std::string_view person)
{
	std::vector<bmd::AlertRec> alerts = bmd::feed_alerts(person);
	const bmd::Permits permits;
	std::erase_if(alerts, [&](const bmd::AlertRec &alert) {
		return !is_there(alert) || escalation_wanted(alert) != bmd::Wanted::go_on
			   || !permits.in_person(person, alert) || bmd::shown_by_subscription(alert, person);
	});
	return alerts;
}

// People whose feeds show an alert; a storm's is of no device.
void add_people(Index device, const bmd::Uuid &alert, std::set<std::string> &people)
{
	const bmd::Store &s = *store();
	const auto add = [&](Index feed) {
		if(!s.feeds[feed].is_group)
			people.emplace(s.feeds[feed].name);
	};
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		add(s.members[e].feed);
	for(const Index feed : bmd::recipients_of(alert))
		add(feed);
}

std::set<std::string> outstanding_people()
{
	bmd::Store &s = *store();
	const Registry registry(s.registry_lock);
	std::vector<bmd::AlertRec> waiting;
	{
		const std::lock_guard<bmd::Mutex> book(s.book_lock);
		for(Index i = s.open_head; i != 0; i = s.alerts[i].next_open)
			if(escalation_wanted(s.alerts[i]) == bmd::Wanted::go_on)
				waiting.push_back(s.alerts[i]);
	}
	std::set<std::string> people;
	for(const bmd::AlertRec &alert : waiting)
		if(is_there(alert))
			add_people(bmd::find_device(alert.serial), alert.id, people);
	return people;
}

const char *way_text(ReachedBy by)
{
	switch(by) {
		case ReachedBy::message:
			return "message";
		case ReachedBy::call:
			return "call";
		default:
			return "subscription";
	}
}

// Appends "WHAT" to a list as long as all of it fits.
void add_words(std::string &list, const std::string &what, std::size_t size)
{
	static constexpr std::string_view more = ", ...";
	if(list.ends_with(more))
		return;
	if(list.size() + what.size() + 2 + more.size() >= size)
		list += more;
	else
		list += (list.empty() ? "" : ", ") + what;
}

// Of a person's terminals that took a text the first counts.
void show_reach(const std::vector<ReachedRec> &all, bmd_reach_view &view)
{
	std::string delivered;
	std::string seen;
	std::set<std::pair<std::string, ReachedBy>> named;
	for(const ReachedRec &rec : all) {
		if(rec.at == 0 || !named.emplace(rec.person, rec.by).second)
			continue;
		if(rec.by == ReachedBy::answer)
			add_words(seen, rec.person, sizeof view.seen_by);
		else
			add_words(delivered,
					std::string(rec.person) + " by " + way_text(rec.by) + ' '
							+ bmd::format_time(rec.at),
					sizeof view.delivered_to);
	}
	copy_text(view.delivered_to, sizeof view.delivered_to, delivered);
	copy_text(view.seen_by, sizeof view.seen_by, seen);
}

} // namespace

void bmd_core_take_tasks(void)
{
	store()->tasks_taken = true;
	store()->tasks_missed.store(true); // those of a server that was killed
}

int bmd_core_next_task(bmd_task *task, int milliseconds)
{
	return guarded(0, [&] {
		if(next_task(*task))
			return 1;
		if(milliseconds > 0)
			store()->task_waker.wait(milliseconds);
		return milliseconds > 0 && next_task(*task) ? 1 : 0;
	});
}

void bmd_core_registered(bmd_text person)
{
	bmd::put_person_task(BMD_TASK_REGISTERED, view_of(person));
}

void bmd_core_attempted(const bmd_attempt *attempt)
{
	const auto alert = bmd::parse_uuid(attempt->alert);
	count_outcome(*attempt);
	if(!alert)
		return;
	(void)guarded(0, [&] {
		remember(*alert, *attempt);
		return 0;
	});
	bmd::Delivery delivery{*alert, attempt->revision, attempt->code, attempt->sent_at,
			bmd::wall_now(), {}, {}, static_cast<std::uint8_t>(attempt->kind)};
	copy_text(delivery.user, bmd::name_size, attempt->person);
	copy_text(delivery.terminal, bmd::terminal_size, attempt->terminal);
	(void)bmd::record_delivery(delivery);
}

uint64_t bmd_core_terminal_hash(bmd_text terminal)
{
	char text[BMD_TERMINAL_SIZE];
	copy_text(text, sizeof text, view_of(terminal));
	return bmd::hash_name(text);
}

void bmd_core_messages(bmd_text alert, bmd_each_reached each, void *arg)
{
	(void)guarded(0, [&] {
		const auto id = bmd::parse_uuid(view_of(alert));
		for(const ReachedRec &rec : id ? bmd::reached_of(*id) : std::vector<ReachedRec>{}) {
			if(rec.by != ReachedBy::message)
				continue;
			bmd_reached one{
					{}, rec.terminal, rec.instance, rec.told, rec.failed ? 1 : 0, rec.tried_at};
			copy_text(one.person, sizeof one.person, rec.person);
			each(&one, arg);
		}
		return 0;
	});
}

int bmd_core_was_notified(bmd_text alert, bmd_text person)
{
	return guarded(0, [&] {
		const auto id = bmd::parse_uuid(view_of(alert));
		for(const ReachedRec &rec : id ? bmd::reached_of(*id) : std::vector<ReachedRec>{})
			if(rec.by == ReachedBy::subscription && view_of(person) == rec.person)
				return 1;
		return 0;
	});
}

long bmd_core_outstanding(bmd_text person, long most, bmd_each_alert each, void *arg)
{
	return guarded(0L, [&] {
		std::vector<bmd_alert_view> views;
		long count = 0;
		{
			const Registry registry(store()->registry_lock);
			const bmd::Permits permits;
			for(const bmd::AlertRec &alert : outstanding(view_of(person)))
				if(const auto shown = permits.in_person(view_of(person), alert); count++ < most)
					bmd::show_alert(alert, views.emplace_back(), view_of(person),
							shown.value_or(bmd::Shown{false, false, false}));
		}
		for(const bmd_alert_view &view : views)
			each(&view, arg);
		return count;
	});
}

void bmd_core_outstanding_people(bmd_each_person each, void *arg)
{
	(void)guarded(0, [&] {
		for(const std::string &person : outstanding_people())
			each(person.c_str(), arg);
		return 0;
	});
}

long bmd_core_messages_per_minute(void)
{
	return static_cast<long>(store()->settings.messages.load());
}

void bmd_core_message_held(void)
{
	count(bmd::count_messages_held);
}

void bmd_core_local_time(bmd_text time, char *local, size_t size)
{
	copy_text(local, size, std::string_view());
	(void)guarded(0, [&] {
		const auto moment = bmd::parse_time(view_of(time));
		if(!moment)
			return 0;
		const auto zone = bmd::Zone::find(bmd::duty_now()->zone);
		std::string text = (zone ? *zone : bmd::Zone::utc()).format(*moment);
		std::replace(text.begin(), text.end(), 'T', ' ');
		copy_text(local, size, text);
		return 0;
	});
}

void bmd_core_seen(bmd_text alert, bmd_text person)
{
	if(const auto id = bmd::parse_uuid(view_of(alert)); id)
		bmd::note_seen(*id, view_of(person));
}

void bmd_core_alert_reach(bmd_text alert, bmd_reach_view *view)
{
	*view = {};
	(void)guarded(0, [&] {
		if(const auto id = bmd::parse_uuid(view_of(alert)); id)
			show_reach(bmd::reached_of(*id), *view);
		return 0;
	});
}
