/// @file tend.cpp  What becomes due of open alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "tend.hpp"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <shared_mutex>

#include "answer.hpp"
#include "book.hpp"
#include "escalation_wanted.hpp"
#include "registry.hpp"
#include "slots.hpp"
#include "suppress.hpp"
#include "windows.hpp"

namespace bmd {

namespace {

constexpr TimeUs look_anyway = 5 * second_us; // whatever has been noted

// Seconds without an answer until the priority of such an alert rises; 0: never.
std::uint32_t patience_of(const AlertRec &alert) noexcept
{
	Rule rule;
	const bool ruled = alert.condition != Condition::device && alert.condition != Condition::stale
					   && !is_of_no_device(alert.condition);
	return ruled && rule_in_force(store()->devices[alert.device], alert.metric, rule)
				   ? rule.rises_after
				   : 0;
}

bool awaits_answer(const AlertRec &alert) noexcept
{
	return alert.state != AlertState::cleared && alert.priority != Priority::high
		   && !taken(alert.response) && alert.response.suppressed == Suppression::none;
}

void end_silence(AlertRec &alert, TimeUs now) noexcept
{
	alert.response.silenced_until = 0;
	alert.silence_ends = 0;
	record_change(alert, "silence-over", {{}, {}, "its time is over"}, now);
	resume_escalations();
}

void rise(AlertRec &alert, TimeUs now) noexcept
{
	char why[48];
	std::snprintf(why, sizeof why, "not answered for %u s", patience_of(alert));
	change_priority(alert, risen(alert.priority, 1), now);
	++alert.risen;
	alert.rises_at = alert.waits_since = 0;
	await_answer(alert);
	record_change(alert, "priority", {{}, {}, why}, now);
}

// Caller holds the stripe.
void tend(Index i, TimeUs now, TimeUs mono) noexcept
{
	AlertRec &alert = store()->alerts[i];
	if(alert.silence_ends != 0
			&& (alert.silence_ends <= mono || alert.silence_ends - mono > longest_silence(alert)))
		end_silence(alert, now);
	await_answer(alert); // its rule may have changed
	if(alert.rises_at != 0 && alert.rises_at <= mono)
		rise(alert, now);
	look_at_holder(i);
	for(const TimeUs due : {alert.silence_ends, alert.rises_at})
		if(due != 0)
			note_due(due);
}

// The device is read before its lock is held: that the slot is still its own is seen only then.
void tend_slot(Index i, TimeUs now, TimeUs mono) noexcept
{
	Store &s = *store();
	AlertRec &alert = s.alerts[i];
	const Index device = std::atomic_ref<Index>(alert.device).load(std::memory_order_relaxed);
	const auto over = [&alert, device] { // a free slot is of device 0, too
		return alert.state == AlertState::cleared
			   || (device == 0 && !is_of_no_device(alert.condition));
	};
	if(over())
		return;
	const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
	if(alert.device != device || over())
		return;
	tend(i, now, mono);
	match_suppression(device, now);
}

} // namespace

void await_answer(AlertRec &alert) noexcept
{
	if(alert.silence_ends != 0)
		note_due(alert.silence_ends);
	const TimeUs patience = awaits_answer(alert) ? patience_of(alert) * second_us : 0;
	if(patience == 0) {
		alert.rises_at = alert.waits_since = 0;
		return;
	}
	if(alert.waits_since == 0) // a restored one knows only when it rises
		alert.waits_since = alert.rises_at != 0 ? alert.rises_at - patience : mono_now();
	alert.rises_at = alert.waits_since + patience;
	note_due(alert.rises_at);
}

void note_due(TimeUs at) noexcept
{
	std::atomic<TimeUs> &due = store()->tend_at;
	TimeUs known = due.load();
	while(at < known && !due.compare_exchange_weak(known, at)) {
	}
}

void tend_alerts() noexcept
{
	constexpr Index piece = 4096; // slots looked at before a change of provisioning may get in
	Store &s = *store();
	const TimeUs now = wall_now();
	const TimeUs mono = mono_now();
	{
		const std::shared_lock<RwLock> registry(s.registry_lock);
		close_old_kept(now - s.settings.reopen.load(), now);
		if(windows_moved(now))
			s.tend_at.store(0);
	}
	if(mono < s.tend_at.load())
		return;
	// what is noted from here on is looked at in the next round
	s.tend_at.store(mono + look_anyway);
	for(Index from = 1; from <= s.alerts.used; from += piece) {
		const std::shared_lock<RwLock> registry(s.registry_lock);
		for(Index i = from; i < from + piece && i <= s.alerts.used; ++i)
			tend_slot(i, now, mono);
	}
}

} // namespace bmd
