/// @file changes.cpp  Queues changes for the notifiers.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "changes.hpp"

#include <mutex>

namespace bmd {

namespace {

void queue(Notifier &notifier, bool urgent, const AlertRec *alert, std::string_view feed) noexcept
{
	SlotRing &ring = urgent ? notifier.high : notifier.normal;
	std::uint64_t ticket = 0;
	void *slot = ring.reserve(ticket);
	if(slot == nullptr) {
		notifier.refresh_all.store(true);
		count(count_changes_dropped);
	} else {
		FeedChange &change = *new (slot) FeedChange();
		if(alert != nullptr)
			change.alert = *alert;
		copy_text(change.feed, sizeof change.feed, feed);
		ring.publish(ticket);
		count(count_changes_queued);
	}
	notifier.waker.wake();
}

} // namespace

void queue_change(const AlertRec &alert) noexcept
{
	Store &s = *store();
	for(std::size_t i = 0; i < s.limits.notifiers; ++i)
		queue(s.notifier[i], alert.priority == Priority::high, &alert, {});
}

void queue_refresh(std::string_view feed) noexcept
{
	queue(store()->notifier[notifier_of(feed)], false, nullptr, feed);
}

void queue_refresh_all() noexcept
{
	Store &s = *store();
	for(std::size_t i = 0; i < s.limits.notifiers; ++i) {
		s.notifier[i].refresh_all.store(true);
		s.notifier[i].waker.wake();
	}
}

void queue_retry(std::string_view feed) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.retry_lock);
	RetryRec *free = nullptr;
	count(count_notify_failed);
	for(RetryRec &retry : s.retry) {
		if(retry.due == 0)
			free = free == nullptr ? &retry : free;
		else if(feed == retry.feed)
			return;
	}
	if(free == nullptr) {
		queue_refresh_all(); // so many terminals are gone that one more telling is the least
		return;
	}
	copy_text(free->feed, sizeof free->feed, feed);
	free->due = mono_now() + retry_after;
}

void queue_due_retries() noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.retry_lock);
	const TimeUs now = mono_now();
	for(RetryRec &retry : s.retry) {
		if(retry.due == 0 || retry.due > now)
			continue;
		queue_refresh(retry.feed);
		retry.due = 0;
	}
}

std::size_t notifier_of(std::string_view feed) noexcept
{
	return hash_name(feed) % store()->limits.notifiers;
}

} // namespace bmd
