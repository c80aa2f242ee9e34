/// @file notifier.cpp  The loop of a notifier process.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "notifier.hpp"

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "fitting.hpp"
#include "holding.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "teller.hpp"
#include "watchers.hpp"

namespace bmd {

namespace {

constexpr std::size_t narrow = 64;             // terminals: so many do not hold others up
constexpr std::size_t most_at_once = 512;      // changes coalesced before anything is sent
constexpr std::size_t sends_between_looks = 4; // at the urgent ring, while others are told

} // namespace

void Teller::add_feeds_of(Work &work, std::size_t alert)
{
	const Store &s = *store();
	const auto add = [&](std::string_view feed) {
		if(may_have_subs(feed))
			work.concerns.push_back({std::string(feed), alert});
	};
	const std::string_view serial = work.alerts[alert].serial;
	const Index device = find_device(serial);
	if(device == 0 && !is_of_no_device(work.alerts[alert].condition))
		return;
	if(s.devices[device].watched.load())
		add("dev." + std::string(serial));
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		if(const FeedRec &feed = s.feeds[s.members[e].feed]; feed.watched.load())
			add(feed.name);
	for(const Index i : recipients_of(work.alerts[alert].id))
		if(s.feeds[i].watched.load())
			add(s.feeds[i].name);
}

// Each once; what belongs to one feed together, and first the feeds that have waited longest.  In
// any other order a change could be the last of its round and have missed the round before, too.
static void put_in_order(std::vector<Concern> &concerns)
{
	std::sort(concerns.begin(), concerns.end());
	concerns.erase(std::unique(concerns.begin(), concerns.end()), concerns.end());
	std::size_t oldest = 0;
	const std::string *feed = nullptr;
	for(Concern &concern : concerns) {
		if(feed == nullptr || *feed != concern.feed)
			oldest = concern.alert;
		feed = &concern.feed;
		concern.oldest = oldest;
	}
	std::stable_sort(concerns.begin(), concerns.end(),
			[](const Concern &a, const Concern &b) { return a.oldest < b.oldest; });
}

Work Teller::take(SlotRing &ring)
{
	Work work;
	std::uint64_t at = ring.tail();
	for(std::size_t n = 0; n < most_at_once; ++n) {
		const auto *change = static_cast<const FeedChange *>(ring.next(at));
		if(change == nullptr)
			break;
		add_change(work, *change);
	}
	work.any = at != ring.tail();
	ring.release(at);
	{
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		for(const std::size_t i : work.widely)
			add_feeds_of(work, i);
	}
	put_in_order(work.concerns);
	return work;
}

// Does one of its alerts concern many feeds?
bool is_wide(const Work &work)
{
	std::vector<std::size_t> feeds(work.alerts.size());
	return std::ranges::any_of(
			work.concerns, [&](const Concern &concern) { return ++feeds[concern.alert] > narrow; });
}

// A long fan-out lets what is urgent through.  One that is urgent itself does so only if it is
// wide, as a storm that concerns everybody: in a burst of many that concern few, what came first
// would wait for all that comes after it.  And it does so round by round, so that it comes to its
// end however much there is.
bool Teller::interrupted()
{
	if(urgent_ > 1 || (urgent_ == 1 && !wide_) || ++sends_ % sends_between_looks != 0)
		return false;
	bool any = tell_urgent();
	while(any && urgent_ == 0 && tell_urgent()) {
	}
	return any;
}

void Teller::send_pages(
		const std::vector<Page> &pages, const std::string &feed, const SubTarget &target)
{
	const std::string uri = feed_uri(resource_of(feed, target.dialog));
	begin_sending(target.ref, target.user);
	for(const Page &page : pages) {
		document_holds(page.alerts);
		send_(uri, page.text);
	}
	end_sending();
}

// Changes, by the filter that the subscription had when they were looked at.  One that it has got
// since has come with full state, which told them.
void Teller::send_partial(
		const std::vector<Page> &pages, const std::string &feed, const SubTarget &target)
{
	if(filter_in_force(target.ref) == target.filter && may_notify(target.ref))
		send_pages(pages, feed, target);
}

void Teller::send_full(const std::string &feed, const SubTarget &target)
{
	// built within the lock: what a SUBSCRIBE was told meanwhile is not older
	const std::lock_guard<Mutex> guard(dialog_mutex(target.dialog));
	send_full_within(feed, target);
}

void Teller::send_full_within(const std::string &feed, const SubTarget &target)
{
	if(is_winfo(feed))
		return send_winfo(feed, target, 0);
	holding_.forget(target.dialog);
	const Verdict verdict = verdict_now(target, feed);
	const Standing standing = standing_of(verdict);
	if(standing == Standing::pending && target.pending)
		return; // it knows
	if(standing == Standing::pending)
		return send_last(feed, target, NotifyState::deactivated); // it may ask, and wait
	if(standing == Standing::refused || (standing == Standing::none && target.pending))
		return send_last(feed, target, NotifyState::rejected);
	const std::vector<Page> pages =
			pages_for(verdict, feed, target.user, filter_in_force(target.ref));
	if(standing == Standing::none)
		note_full_state(target.ref, std::nullopt, shut_out_by(feed));
	else
		note_full_state(target.ref, pages.front().counted);
	send_pages(pages, feed, target);
}

void Teller::tell_feed(const std::string &feed)
{
	for(const SubTarget &target : subs_of(feed, slot_)) {
		send_full(feed, target);
		(void)interrupted();
	}
}

// Of each alert what this person may see.  What does not fit the filter any more, and may stand on
// the screen, goes with a full state.  Within the dialog's lock.
void Teller::send_held(std::vector<AlertRec> news, const std::string &feed, const SubTarget &target)
{
	Telling telling;
	std::size_t left_out = 0;
	{
		const Fitting fitting(target.filter);
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		telling = tell_to(Permits(), target.user, feed, std::move(news));
		fitting.apply(telling);
		left_out = telling.filtered.value_or(0);
	}
	if(left_out > 0)
		return send_full_within(feed, target);
	if(PartialDocuments partial(std::move(telling)); !partial.empty())
		send_partial(partial.of(feed), feed, target);
}

void Teller::send_now(const SubTarget &target, const std::string &feed,
		const std::vector<std::size_t> &which, Round &round)
{
	if(look_of(target, feed) != Look::some) {
		if(PartialDocuments &partial = round.documents_of(which); !partial.empty())
			send_partial(partial.of(feed), feed, target);
		return;
	}
	std::vector<AlertRec> alerts;
	for(const std::size_t i : which)
		if(const SeenChange &change = round.seen(i); change.state)
			alerts.push_back(*change.state);
	send_held(std::move(alerts), feed, target);
}

// To a subscription with rules, or with something that waits.
void Teller::tell_one(const SubTarget &target, const std::string &feed,
		const std::vector<std::size_t> &which, Round &round)
{
	std::vector<const SeenChange *> changes;
	changes.reserve(which.size());
	for(const std::size_t i : which)
		changes.push_back(&round.seen(i));
	const std::lock_guard<Mutex> guard(dialog_mutex(target.dialog));
	const Sifted sifted = holding_.sift(target, feed, changes);
	std::vector<std::size_t> now;
	now.reserve(sifted.now.size());
	for(const std::size_t i : sifted.now)
		now.push_back(which[i]);
	send_now(target, feed, now, round);
	if(sifted.full)
		send_held(holding_.take_all(target.dialog), feed, target);
}

void Teller::tell_target(const SubTarget &target, const std::string &feed,
		const std::vector<std::size_t> &which, Look look, Round &round)
{
	if(look == Look::some)
		return tell_some(target, feed, which, round);
	if(round.sifts && (holding_.concerns(target, feed) || round.chatters(which)))
		return tell_one(target, feed, which, round);
	PartialDocuments &partial = round.documents_of(which);
	if(partial.empty())
		return;
	const std::lock_guard<Mutex> guard(dialog_mutex(target.dialog));
	send_partial(partial.of(feed), feed, target);
}

void Teller::tell_changes(const Work &work)
{
	Round round(work);
	round.sifts = !holding_.idle() || std::ranges::any_of(work.alerts, [](const AlertRec &alert) {
		return alert.chattering;
	});
	for(auto at = work.concerns.begin(); at != work.concerns.end();) {
		const std::string &feed = at->feed;
		std::vector<std::size_t> which;
		std::vector<std::size_t> plain; // for who has no filter
		for(; at != work.concerns.end() && at->feed == feed; ++at) {
			which.push_back(at->alert);
			if(!work.alerts[at->alert].value_only)
				plain.push_back(at->alert);
		}
		const std::vector<SubTarget> targets = subs_of(feed, slot_);
		wide_ = wide_ || targets.size() > narrow;
		for(const SubTarget &target : targets) {
			PartialDocuments &partial = round.documents_of(which);
			const Look look = look_of(target, feed);
			if(look == Look::nothing)
				continue;
			if(partial.empty())
				break; // newer news of all of it is on the way, or was urgent and has been told
			std::vector<std::size_t> fit;
			if(target.filter != 0)
				fit = fitting_of(target, feed, which, look, round);
			if(const auto &mine = target.filter != 0 ? fit : plain; !mine.empty())
				tell_target(target, feed, mine, look, round);
			if(interrupted())
				round.forget();
		}
	}
}

void Teller::tell(const Work &work)
{
	tell_changes(work);
	for(const std::string &feed : work.feeds)
		tell_feed(feed);
	for(const SubRef sub : work.subs)
		if(SubTarget target{}; const auto feed = find_sub(sub, target))
			send_full(*feed, target);
}

bool Teller::tell_urgent()
{
	if(notifier_.high.used() == 0)
		return false;
	const Work work = take(notifier_.high);
	const bool was_wide = std::exchange(wide_, is_wide(work) || !work.feeds.empty());
	++urgent_; // whatever is thrown ends this object
	tell(work);
	--urgent_;
	wide_ = was_wide;
	return work.any;
}

bool Teller::tell_normal()
{
	const Work work = take(notifier_.normal);
	tell(work);
	return work.any;
}

// What was held back and is due.
bool Teller::tell_held()
{
	bool any = false;
	for(const std::uint64_t dialog : holding_.due(mono_now())) {
		SubTarget target{};
		const auto feed = find_dialog(dialog, target);
		if(!feed || look_of(target, *feed) == Look::nothing) {
			holding_.forget(dialog);
			continue;
		}
		{
			const std::lock_guard<Mutex> guard(dialog_mutex(dialog));
			std::vector<AlertRec> news = holding_.take_due(target, *feed);
			any = any || !news.empty();
			send_held(std::move(news), *feed, target);
		}
		(void)interrupted();
	}
	return any;
}

bool Teller::tell_everything()
{
	if(!notifier_.refresh_all.exchange(false))
		return false;
	for(const std::string &feed : feeds_with_subs(slot_))
		tell_feed(feed);
	return true;
}

void notify_once(std::size_t slot, int milliseconds, const SendDocument &send, Holding &holding)
{
	store()->notifier[slot].waker.wait(holding.patience(milliseconds));
	Teller teller(slot, send, holding);
	for(bool more = true; more;) {
		holding.follow_rules();
		teller.tell_policy();
		more = teller.tell_urgent();
		more = teller.tell_everything() || more;
		more = teller.tell_held() || more;
		more = teller.tell_normal() || more;
		more = teller.tell_watchers() || more;
	}
	holding.sweep();
}

} // namespace bmd
