/// @file changes.cpp  Queues changes for the notifiers.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "changes.hpp"

#include <mutex>
#include <new>

#include "subs.hpp"
#include "tasks.hpp"
#include "watchers.hpp"

namespace bmd {

namespace {

void queue(Notifier &notifier, bool urgent, const FeedChange &change) noexcept
{
	SlotRing &ring = urgent ? notifier.high : notifier.normal;
	std::uint64_t ticket = 0;
	void *slot = ring.reserve(ticket);
	if(slot == nullptr) {
		notifier.refresh_all.store(true);
		count(count_changes_dropped);
	} else {
		new (slot) FeedChange(change);
		ring.publish(ticket);
		count(count_changes_queued);
	}
	notifier.waker.wake();
}

void queue_to_all(bool urgent, const FeedChange &change) noexcept
{
	Store &s = *store();
	for(std::size_t i = 0; i < s.limits.notifiers; ++i)
		queue(s.notifier[i], urgent, change);
}

} // namespace

void queue_change(const AlertRec &alert) noexcept
{
	FeedChange change{};
	change.alert = alert;
	const bool urgent =
			alert.priority == Priority::high && alert.response.suppressed == Suppression::none;
	queue_to_all(urgent, change);
	if(!alert.value_only)
		put_change_task(alert);
}

void queue_change_to(const AlertRec &alert, std::string_view feed) noexcept
{
	if(!may_have_subs(feed)) // one that does not answer may be about to
		return;
	FeedChange change{};
	change.alert = alert;
	copy_text(change.feed, feed_size, feed);
	queue_to_all(false, change);
}

void queue_refresh(std::string_view feed) noexcept
{
	if(!may_have_subs(feed))
		return;
	FeedChange change{};
	copy_text(change.feed, feed_size, feed);
	queue_to_all(false, change);
}

void queue_refresh_winfo(std::string_view feed) noexcept
{
	if(store()->watchers.subscribers.load() == 0)
		return;
	char key[feed_size]{winfo_mark};
	copy_text(key + 1, sizeof key - 1, feed);
	queue_refresh(key);
}

void queue_refresh_sub(SubRef sub, std::uint64_t dialog) noexcept
{
	FeedChange change{};
	change.sub = sub;
	queue(store()->notifier[notifier_of(dialog)], false, change);
}

void queue_refresh_people(const Names &people) noexcept
{
	const Store &s = *store();
	if(people.empty())
		return;
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	for(Index i = 1; i <= s.subs.used; ++i) {
		const SubRec &sub = s.subs[i];
		const std::string_view user = sub.user;
		if(sub.dialog != 0 && user != sub.feed && people.contains(user))
			queue_refresh_sub({i, sub.generation}, sub.dialog);
	}
}

void queue_refresh_all() noexcept
{
	Store &s = *store();
	for(std::size_t i = 0; i < s.limits.notifiers; ++i) {
		s.notifier[i].refresh_all.store(true);
		s.notifier[i].waker.wake();
	}
}

} // namespace bmd
