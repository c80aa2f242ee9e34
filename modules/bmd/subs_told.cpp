/// @file subs_told.cpp  What subscriptions have been told.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <atomic>
#include <mutex>

#include "changes.hpp"
#include "subs.hpp"
#include "watchers.hpp"

namespace bmd {

void note_full_state(SubRef ref, std::optional<std::uint32_t> counted,
		std::optional<WatcherEvent> shut_out) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	SubRec *const sub = live_sub(ref);
	if(sub == nullptr)
		return;
	sub->full_at = wall_now();
	sub->pending_since = 0;
	sub->counts = counted.has_value();
	sub->counted = counted.value_or(0);
	if(shut_out)
		note_watcher(*sub, *shut_out);
	else
		note_shown(*sub);
}

std::optional<std::uint32_t> counted_for(SubRef ref) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	const SubRec *const sub = live_sub(ref);
	return sub == nullptr || !sub->counts ? std::nullopt : std::optional(sub->counted);
}

namespace {

// Of one subscription, without the lock: counters that others may be changing.
template <class T> std::atomic_ref<T> now_of(T &field) noexcept
{
	return std::atomic_ref<T>(field);
}

bool is_silent(SubRec &sub, TimeUs now) noexcept
{
	return now_of(sub.sent).load() != now_of(sub.done).load()
		   && now - std::max(now_of(sub.silent_since).load(), now_of(sub.heard_at).load())
					  >= patience
		   && now - now_of(sub.sent_at).load() < between;
}

} // namespace

// Without the lock, which a fan-out has others wait for: within the dialog's.
void notify_sent(SubRef ref) noexcept
{
	SubRec &sub = store()->subs[ref.slot];
	const auto is_ours = [&] {
		return ref.slot != 0 && now_of(sub.generation).load() == ref.generation;
	};
	if(!is_ours())
		return;
	const TimeUs now = mono_now();
	if(now_of(sub.sent).load() == now_of(sub.done).load())
		now_of(sub.silent_since).store(now);
	now_of(sub.sent_at).store(now);
	now_of(sub.sent).fetch_add(1);
	if(!is_ours()) // it has ended meanwhile, and another one stands there
		now_of(sub.sent).fetch_sub(1);
}

namespace {

// What was left out goes with full state.
void pay(SubRef ref, SubRec &sub) noexcept
{
	if(sub.owed)
		queue_refresh_sub(ref, sub.dialog);
	sub.owed = false;
}

} // namespace

void notify_gone(SubRef ref) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	SubRec *const sub = live_sub(ref);
	if(sub == nullptr)
		return;
	now_of(sub->done).fetch_add(1);
	if(now_of(sub->sent).load() == now_of(sub->done).load()) // nothing else will remind of it
		pay(ref, *sub);
}

bool may_notify(SubRef ref) noexcept
{
	if(!is_silent(store()->subs[ref.slot], mono_now()))
		return true;
	const std::lock_guard<Mutex> guard(store()->sub_lock); // an answer may come meanwhile
	SubRec *const sub = live_sub(ref);
	if(sub == nullptr || !is_silent(*sub, mono_now()))
		return true;
	sub->owed = true;
	count(count_notify_spared);
	return false;
}

namespace {

void note_taken(SubRef ref, SubRec &sub) noexcept
{
	sub.failures = 0;
	now_of(sub.heard_at).store(mono_now());
	pay(ref, sub);
}

void note_failed(SubRec &sub, int code) noexcept
{
	if(sub.retry != 0)
		return;
	const DurationUs first = code == not_sent ? retry_not_sent : retry_first;
	const DurationUs pause = first << sub.failures;
	sub.retry = mono_now() + std::min(pause, retry_last);
	if(pause < retry_last)
		++sub.failures;
	sub.owed = false; // full state is on its way by that
}

} // namespace

void notify_answered(SubRef ref, int code, bool was_sent) noexcept
{
	count(code < 300 ? count_notify_answered : count_notify_failed);
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	SubRec *const sub = live_sub(ref);
	if(sub == nullptr)
		return;
	if(was_sent)
		now_of(sub->done).fetch_add(1);
	if(code < 300)
		note_taken(ref, *sub);
	else if(code == 404 || code == 481)
		drop_sub(ref, WatcherEvent::timeout);
	else
		note_failed(*sub, code);
}

namespace {

std::vector<std::uint64_t> in_hand_of(std::string_view user)
{
	const Store &s = *store();
	std::vector<std::uint64_t> dialogs;
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	for(Index i = first_sub_of_user(user); i != 0; i = s.subs[i].next_of_user)
		if(s.subs[i].in_hand && user == s.subs[i].user)
			dialogs.push_back(s.subs[i].dialog);
	return dialogs;
}

} // namespace

bool take_in_hand(SubRef ref) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	SubRec *const sub = live_sub(ref);
	if(sub != nullptr)
		sub->in_hand = true;
	return sub != nullptr;
}

void let_go(SubRef ref) noexcept
{
	const std::lock_guard<Mutex> guard(store()->sub_lock);
	if(SubRec *const sub = live_sub(ref); sub != nullptr)
		sub->in_hand = false;
}

void await_answers(std::string_view user)
{
	for(const std::uint64_t dialog : in_hand_of(user))
		const std::lock_guard<Mutex> guard(dialog_mutex(dialog));
}

} // namespace bmd
