/// @file rejournal.cpp  Makes up for changes of alerts that the journal had no room for.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <atomic>
#include <cstdio>
#include <mutex>
#include <shared_mutex>

#include "slots.hpp"

namespace bmd {

namespace {

// What happened to an alert since the journal last took it: that it was raised, and how it is now.
// False when there is no room still.
bool journal_again(AlertRec &alert) noexcept
{
	if(alert.journaled == 0 && alert.revision > 1) {
		// both or none: what the database knows to be raised must end there
		if(!journal_has_room_for(2))
			return false;
		AlertRec first = alert;
		first.revision = 1;
		first.state = AlertState::active;
		first.changed_at = first.raised_at;
		first.cleared_at = first.closed_at = 0;
		first.response = ResponseState{};
		if(!journal_alert(first, "raised", Actor{}))
			return false;
		alert.journaled = 1;
	}
	const char *event = alert.closed_at != 0                 ? "closed"
						: alert.state == AlertState::cleared ? "cleared"
						: alert.revision == 1                ? "raised"
															 : "updated";
	if(alert.response.by[0] == '\0')
		return journal_alert(alert, event, Actor{});
	char why[sizeof(AlertEvent::why)];
	const std::string_view response = to_string(alert.response.response);
	std::snprintf(why, sizeof why, "made up for: %.*s by %s", static_cast<int>(response.size()),
			response.data(), alert.response.by);
	return journal_alert(alert, event, {{}, {}, why});
}

// The device is read before its lock is held: that the slot is still its own is seen only then.
bool rejournal_open(Index i) noexcept
{
	Store &s = *store();
	AlertRec &alert = s.alerts[i];
	const Index device = std::atomic_ref<Index>(alert.device).load(std::memory_order_relaxed);
	if(device == 0 && !is_of_no_device(alert.condition))
		return true;
	const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
	{
		const std::lock_guard<Mutex> book(s.book_lock);
		if(is_kept(alert))
			return !behind(alert) || journal_again(alert);
	}
	if(alert.device != device || alert.list != AlertList::open || !behind(alert))
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

// Of alerts that began and ended unseen there may be very many: they leave half of the ring to what
// happens now.
bool has_half() noexcept
{
	return journal_has_room_for(store()->alert_events.capacity() / 2);
}

} // namespace

void rejournal() noexcept
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	// first what the database believes to be open
	while(rejournal_ended(1)) {
	}
	while(has_half() && rejournal_ended(0)) {
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

} // namespace bmd
