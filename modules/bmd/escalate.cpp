/// @file escalate.cpp  Finds alerts, keeps the times of their steps, begins what is due.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "escalate.hpp"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "recipients.hpp"
#include "rejections.hpp"
#include "slots.hpp"
#include "tasks.hpp"

namespace bmd {

namespace {

// Until then notifiers find whom the end of an alert is to be told; one that is kept may come back.
constexpr TimeUs ended_kept = 30 * second_us;
constexpr TimeUs sweep_interval = 3 * second_us;
constexpr int beginning_ms = 2; // between looks while a step waits for the database
constexpr DurationUs crowd_patience = second_us; // with a writer that is behind
constexpr int begun_at_once = 64;                // then they are made known, and others found

enum class State : std::uint8_t
{
	open,
	kept, // cleared, and may come back
	closed
};

State state_of(Index slot, const Uuid &id) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> book(s.book_lock);
	const AlertRec &alert = s.alerts[slot];
	if(alert.id != id)
		return State::closed;
	return is_kept(alert)                  ? State::kept
		   : alert.list == AlertList::open ? State::open
										   : State::closed;
}

// The time of the alert's raising on the monotonic clock; not in the future.
TimeUs base_of(const AlertRec &alert) noexcept
{
	return mono_now() - std::max<TimeUs>(wall_now() - alert.raised_at, 0);
}

std::size_t rank_of(Priority priority) noexcept
{
	return priority == Priority::high ? 0 : priority == Priority::medium ? 1 : 2;
}

} // namespace

void say_failure(const char *what) noexcept
{
	char text[128];
	std::snprintf(text, sizeof text, "escalation: %s: tried again", what);
	complain(count_escalation_failures, text);
}

bool copy_alert(Index slot, const Uuid &alert, AlertRec &copy) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> book(s.book_lock);
	copy = s.alerts[slot];
	return copy.id == alert;
}

EscalationProgress progress_of(Index slot) noexcept
{
	const EscalationRec &rec = store()->escalation[slot];
	return {rec.begun, rec.base, rec.last};
}

void set_progress(Index slot, const EscalationProgress &progress) noexcept
{
	EscalationRec &rec = store()->escalation[slot];
	rec.begun = progress.begun;
	rec.base = progress.base;
	rec.last = progress.last;
}

// Needs memory only for an alert that is not armed.
void Escalator::arm(Index slot, TimeUs due)
{
	EscalationRec &rec = store()->escalation[slot];
	Due::node_type node;
	for(Due &list : due_)
		if(node.empty())
			node = list.extract({rec.due, slot});
	rec.due = 0;
	if(due == 0)
		return;
	Due &list = due_[rank_of(tracked_.at(slot).priority)];
	if(node.empty()) {
		list.emplace(due, slot);
	} else {
		node.value() = {due, slot};
		list.insert(std::move(node));
	}
	rec.due = due;
}

void Escalator::over(Index slot)
{
	arm(slot, 0);
	const auto found = tracked_.find(slot);
	if(found == tracked_.end())
		return;
	ended_.push_back({mono_now() + ended_kept, found->second.alert, slot});
	tracked_.erase(found);
	beginning_.erase(slot);
}

void Escalator::forget_ended(TimeUs now)
{
	for(; !ended_.empty() && ended_.front().until <= now; ended_.pop_front()) {
		const Ended one = ended_.front();
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		const State state = state_of(one.slot, one.alert);
		if(state == State::kept)
			ended_.push_back({now + ended_kept, one.alert, one.slot});
		else if(state == State::closed)
			forget_recipients(one.alert);
	}
}

void Escalator::track(Index slot, const Uuid &id)
{
	AlertRec alert;
	if(!copy_alert(slot, id, alert))
		return;
	if(const auto known = tracked_.find(slot); known != tracked_.end() && known->second.alert == id)
		return look_at(slot, true);
	over(slot); // whatever was there before
	Tracked &tracked = tracked_[slot];
	tracked.alert = id;
	tracked.priority = alert.priority;
	EscalationRec &rec = store()->escalation[slot];
	if(rec.alert != id) {
		set_progress(slot, {0, base_of(alert), 0});
		rec.flags.fetch_and(escalation_hasten | escalation_rejected);
		rec.alert = id;
	}
	// no step has been made known since
	if(alert.response.response == Response::rejected) {
		note_rejection(slot, alert.response.by);
		rec.flags.fetch_or(escalation_rejected);
	}
	look_at(slot, true);
}

// The most urgent first; of many those found so far begin before the others are looked at.
void Escalator::track_all(std::vector<Found> found)
{
	constexpr std::size_t piece = 256;
	std::stable_sort(found.begin(), found.end(),
			[](const Found &a, const Found &b) { return a.priority > b.priority; });
	for(std::size_t i = 0; i < found.size(); ++i) {
		(void)attempt([&] { track(found[i].slot, found[i].alert); });
		if(i % piece == piece - 1)
			begin_and_tell();
	}
}

// Those that have come into the list of open ones since the last look.
void Escalator::find_new()
{
	Store &s = *store();
	std::vector<Found> found;
	{
		const std::lock_guard<Mutex> book(s.book_lock);
		for(Index i = s.open_head; i != 0; i = s.alerts[i].next_open) {
			if(static_cast<std::int32_t>(s.escalation[i].opened - seen_) <= 0)
				break;
			found.push_back({i, s.alerts[i].id, s.alerts[i].priority});
		}
		seen_ = s.opened;
	}
	std::reverse(found.begin(), found.end()); // oldest first
	track_all(std::move(found));
}

// Open alerts that nothing is done for, whatever the reason.
void Escalator::find_missed()
{
	constexpr Index piece = 256; // under one lock
	Store &s = *store();
	std::vector<Found> missed;
	for(Index from = 1; from <= s.alerts.used; from += piece) {
		const std::lock_guard<Mutex> book(s.book_lock);
		for(Index i = from; i < from + piece && i <= s.alerts.used; ++i) {
			const AlertRec &alert = s.alerts[i];
			if(alert.list != AlertList::open || alert.state == AlertState::cleared)
				continue;
			const auto known = tracked_.find(i);
			if(known == tracked_.end() || known->second.alert != alert.id)
				missed.push_back({i, alert.id, alert.priority});
		}
	}
	track_all(std::move(missed));
}

// Alerts that had cleared before the server was stopped, and were escalated to people.
void Escalator::find_kept()
{
	Store &s = *store();
	const std::lock_guard<Mutex> book(s.book_lock);
	for(Index i = s.kept.head; i != 0; i = s.alerts[i].next_open)
		if(s.escalation[i].alert == s.alerts[i].id)
			ended_.push_back({mono_now() + ended_kept, s.alerts[i].id, i});
}

// What failed, or was missed, goes on.
void Escalator::sweep(TimeUs now)
{
	if(now - swept_ < sweep_interval)
		return;
	swept_ = now;
	find_missed();
	std::vector<Index> idle;
	for(const auto &[slot, tracked] : tracked_)
		if(!tracked.rests && store()->escalation[slot].due == 0)
			idle.push_back(slot);
	for(const Index slot : idle)
		(void)attempt([&] { look_at(slot, true); });
}

std::optional<Index> Escalator::most_urgent(TimeUs now) const
{
	for(const Due &list : due_)
		if(!list.empty() && list.begin()->first <= now)
			return list.begin()->second;
	return std::nullopt;
}

// Is the ring of steps nearly full, while the database takes them?  Then they wait a moment, so
// that none is lost; not for a database that has stopped.
bool Escalator::writer_behind(TimeUs now)
{
	const Store &s = *store();
	const SlotRing &ring = s.escalations;
	const std::uint64_t stored = ring.tail();
	const bool crowded = ring.used() > ring.capacity() - ring.capacity() / 4;
	if(!crowded || stored != stored_)
		moved_ = now;
	stored_ = stored;
	return crowded && s.database_up.load() != 0 && now - moved_ <= crowd_patience;
}

void Escalator::begin_due(TimeUs now)
{
	more_ = behind_ = false;
	for(int n = 0; n < begun_at_once; ++n) {
		const std::optional<Index> slot = most_urgent(now);
		if(!slot)
			return;
		behind_ = writer_behind(now);
		if(behind_)
			return;
		arm(*slot, now + retry_pause); // begin() knows better, unless it fails
		(void)attempt([&] { begin(*slot); });
	}
	more_ = most_urgent(now).has_value();
}

void Escalator::begin_and_tell()
{
	(void)attempt([&] { begin_due(mono_now()); });
	(void)attempt([&] { make_known_what_is_stored(mono_now()); });
}

void Escalator::round(int milliseconds) noexcept
{
	const bool waits = behind_ || !beginning_.empty();
	store()->escalation_waker.wait(more_ ? 0 : waits ? beginning_ms : milliseconds);
	if(!std::exchange(started_, true))
		(void)attempt([&] { find_kept(); });
	(void)attempt([&] { find_new(); });
	(void)attempt([&] { look_again(); });
	(void)attempt([&] { sweep(mono_now()); });
	begin_and_tell();
	(void)attempt([&] { ask_unasked(); });
	drain_tasks();
}

} // namespace bmd
