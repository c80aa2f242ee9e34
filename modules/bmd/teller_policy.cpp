/// @file teller_policy.cpp  Whom policies let see something, and what becomes of those they do not.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <mutex>
#include <shared_mutex>
#include <utility>

#include "registry.hpp"
#include "teller.hpp"
#include "winfo_documents.hpp"

namespace bmd {

Look look_of(const SubTarget &target, std::string_view feed)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	const Permits permits;
	if(standing_of(permits.on_feed(target.user, feed)) != Standing::active)
		return Look::nothing;
	return permits.restricts(target.user, feed) ? Look::some : Look::all;
}

Verdict verdict_now(const SubTarget &target, std::string_view feed)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	return Permits().on_feed(target.user, feed);
}

// The end of a subscription.  Within the dialog's lock.
void Teller::send_last(const std::string &feed, const SubTarget &target, NotifyState state)
{
	begin_sending(target.ref, target.user);
	take_in_hand(target.ref);
	set_notify_state(state);
	const std::string of(winfo_feed(feed));
	if(is_winfo(feed))
		set_sending_winfo();
	send_(feed_uri(resource_of(of, target.dialog)),
			is_winfo(feed) ? empty_winfo(of) : empty_document(of));
	end_sending();
	end_sub(target.ref,
			state == NotifyState::deactivated ? WatcherEvent::deactivated : WatcherEvent::rejected);
	count(count_policy_ended);
}

// Whether the number is another one.  It is not told again: who answers what, and when, is not for
// whoever may only count.
bool Teller::tell_number(const std::string &feed, const SubTarget &target)
{
	const std::lock_guard<Mutex> guard(dialog_mutex(target.dialog));
	std::optional<std::uint32_t> counted;
	{
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		counted = tell_to(Permits(), target.user, feed, feed_alerts(feed)).counted;
	}
	if(counted == counted_for(target.ref))
		return false;
	send_full_within(feed, target);
	return true;
}

// To a person for whom there are policies.  Where alerts are only counted the number is told, with
// the full state, when it has changed.
void Teller::tell_some(const SubTarget &target, const std::string &feed,
		const std::vector<std::size_t> &which, Round &round)
{
	std::vector<std::size_t> visible;
	bool counted = false;
	{
		const Permits permits;
		for(const std::size_t i : which) {
			const SeenChange &change = round.seen(i);
			if(!change.state)
				continue;
			const std::shared_lock<RwLock> registry(store()->registry_lock);
			const Verdict verdict = permits.on_alert(target.user, feed, *change.state);
			counted = counted || (verdict.allows() && !verdict.shown.alerts);
			if(verdict.allows() && verdict.shown.alerts)
				visible.push_back(i);
		}
	}
	if((!counted || !tell_number(feed, target)) && !visible.empty())
		tell_one(target, feed, visible, round);
}

// Whoever sees the same as before is told nothing: a feed on which nothing happens becomes a decoy,
// and back, without a word.
void Teller::follow(const Permits &before, const Permits &after, const std::string &feed,
		const SubTarget &target)
{
	if(!before.restricts(target.user) && !after.restricts(target.user))
		return;
	Verdict was;
	Verdict is;
	{
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		if(sight_of(before, target.user, feed) == sight_of(after, target.user, feed))
			return;
		was = before.on_feed(target.user, feed);
		is = after.on_feed(target.user, feed);
	}
	if(standing_of(is) == Standing::none && !was.built_in) { // the rule that let it in has gone
		const std::lock_guard<Mutex> guard(dialog_mutex(target.dialog));
		holding_.forget(target.dialog);
		return send_last(feed, target, NotifyState::rejected);
	}
	send_full(feed, target);
}

void Teller::tell_policy()
{
	PolicySeen &seen = holding_.policy;
	const std::shared_ptr<const Policy> policy = policy_now();
	const TimeUs now = wall_now();
	const bool same =
			policy == seen.policy && now >= seen.at && (seen.until == 0 || now < seen.until);
	if(same)
		return;
	const PolicySeen last = std::exchange(seen, {policy, now, policy->next_change(now)});
	if(last.policy == nullptr)
		return; // a start tells everybody everything
	const Permits before(last.policy, last.at);
	const Permits after(policy, now);
	if(slot_ == 0)
		answer_waiting(after);
	for(const std::string &feed : feeds_with_subs(slot_))
		for(const SubTarget &target : subs_of(feed, slot_)) {
			if(is_winfo(feed))
				follow_winfo(before, after, feed, target);
			else
				follow(before, after, feed, target);
			(void)interrupted();
		}
}

} // namespace bmd
