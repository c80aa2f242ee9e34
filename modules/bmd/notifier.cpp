/// @file notifier.cpp  The loop of a notifier process.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "notifier.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "documents.hpp"
#include "holding.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "subs.hpp"

namespace bmd {

namespace {

constexpr std::size_t most_at_once = 512;       // changes coalesced before anything is sent
constexpr std::size_t sends_between_looks = 16; // at the urgent ring, while others are told

// A feed and one of the alerts of a round that it tells of.
struct Concern
{
	std::string feed;
	std::size_t alert;

	// clang-tidy takes the 0 that the compiler itself compares with for a null pointer
	auto operator<=>(const Concern &) const = default; // NOLINT(modernize-use-nullptr): none here
};

// What one round has to say.
struct Work
{
	std::vector<AlertRec> alerts;  // each once, in its last state
	std::vector<bool> begins;      // of each: its first change here is that it began
	std::set<std::size_t> widely;  // of these: concern all feeds that show them
	std::vector<Concern> concerns; // sorted, each once
	std::set<std::string> feeds;   // to be told everything
	std::vector<SubRef> subs;      // to be told everything

	bool any = false; // something was taken from the ring
};

// What is written for the changes of a round; feeds with the same changes share the documents.
class Round
{
public:
	explicit Round(const Work &work) : work_(work), seen_(work.alerts.size()) {}

	PartialDocuments &documents_of(const std::vector<std::size_t> &which);
	const SeenChange &seen(std::size_t i);
	/// Time has passed: what is told is what is.
	void forget();

private:
	const Work &work_;
	std::map<std::vector<std::size_t>, PartialDocuments> documents_;
	std::vector<std::optional<SeenChange>> seen_;
};

PartialDocuments &Round::documents_of(const std::vector<std::size_t> &which)
{
	const auto known = documents_.find(which);
	if(known != documents_.end())
		return known->second;
	std::vector<AlertRec> alerts;
	for(const std::size_t i : which)
		if(auto state = present_state(work_.alerts[i]); state)
			alerts.push_back(*state);
	return documents_.emplace(which, PartialDocuments(std::move(alerts))).first->second;
}

const SeenChange &Round::seen(std::size_t i)
{
	if(!seen_[i])
		seen_[i] = see_change(work_.alerts[i], work_.begins[i]);
	return *seen_[i];
}

void Round::forget()
{
	documents_.clear();
	seen_.assign(seen_.size(), std::nullopt);
}

// One notifier process.
class Teller
{
public:
	Teller(std::size_t slot, const SendDocument &send, Holding &holding)
		: slot_(slot), notifier_(store()->notifier[slot]), send_(send), holding_(holding)
	{
	}

	bool tell_urgent();
	bool tell_normal();
	bool tell_everything();
	bool tell_held();

private:
	Work take(SlotRing &ring);
	void add_feeds_of(Work &work, std::size_t alert);
	void tell(const Work &work, bool urgent);
	void tell_changes(const Work &work, bool urgent);
	void tell_one(const SubTarget &target, const std::string &feed,
			const std::vector<std::size_t> &which, Round &round);
	void send_held(
			const std::vector<AlertRec> &news, const std::string &feed, const SubTarget &target);
	void tell_feed(const std::string &feed, bool urgent);
	void send_full(const std::string &feed, const SubTarget &target);
	void send_pages(
			const std::vector<Page> &pages, const std::string &feed, const SubTarget &target);
	bool interrupted(bool urgent);

	std::size_t slot_;
	Notifier &notifier_;
	const SendDocument &send_;
	Holding &holding_;
	std::size_t sends_ = 0;
};

bool entitled(const SubTarget &target, std::string_view feed) noexcept
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	return may_watch(target.user, feed);
}

// The later state stands for both.  Its number.
std::size_t add_alert(Work &work, const AlertRec &alert)
{
	for(std::size_t i = 0; i < work.alerts.size(); ++i) {
		if(work.alerts[i].id != alert.id)
			continue;
		work.alerts[i] = alert;
		return i;
	}
	work.alerts.push_back(alert);
	work.begins.push_back(alert.revision == alert.began);
	return work.alerts.size() - 1;
}

void add_change(Work &work, const FeedChange &change)
{
	if(change.sub.slot != 0) {
		work.subs.push_back(change.sub);
	} else if(change.alert.serial[0] == '\0') {
		work.feeds.emplace(change.feed);
	} else {
		const std::size_t alert = add_alert(work, change.alert);
		if(change.feed[0] == '\0')
			work.widely.insert(alert);
		else
			work.concerns.push_back({change.feed, alert});
	}
}

bool chatters(const Work &work, const std::vector<std::size_t> &which) noexcept
{
	return std::ranges::any_of(which, [&](std::size_t i) { return work.alerts[i].chattering; });
}

void Teller::add_feeds_of(Work &work, std::size_t alert)
{
	const Store &s = *store();
	const auto add = [&](std::string_view feed) {
		if(may_have_subs(feed))
			work.concerns.push_back({std::string(feed), alert});
	};
	const std::string_view serial = work.alerts[alert].serial;
	const Index device = find_device(serial);
	if(device == 0 && work.alerts[alert].condition != Condition::storm)
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
	std::sort(work.concerns.begin(), work.concerns.end());
	work.concerns.erase(
			std::unique(work.concerns.begin(), work.concerns.end()), work.concerns.end());
	return work;
}

// A long fan-out lets what is urgent through.
bool Teller::interrupted(bool urgent)
{
	if(urgent || ++sends_ % sends_between_looks != 0)
		return false;
	bool any = false;
	while(tell_urgent())
		any = true;
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

void Teller::send_full(const std::string &feed, const SubTarget &target)
{
	// built within the lock: what a SUBSCRIBE was told meanwhile is not older
	const std::lock_guard<Mutex> guard(dialog_mutex(target.dialog));
	holding_.forget(target.dialog);
	const bool may_see = entitled(target, feed);
	const std::vector<Page> pages =
			may_see ? full_documents(feed) : std::vector<Page>{{empty_document(feed), {}}};
	note_full_state(target.ref);
	send_pages(pages, feed, target);
}

void Teller::tell_feed(const std::string &feed, bool urgent)
{
	for(const SubTarget &target : subs_of(feed, slot_)) {
		send_full(feed, target);
		(void)interrupted(urgent);
	}
}

void Teller::send_held(
		const std::vector<AlertRec> &news, const std::string &feed, const SubTarget &target)
{
	if(!news.empty())
		send_pages(PartialDocuments(news).of(feed), feed, target);
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
	if(PartialDocuments &partial = round.documents_of(now); !partial.empty())
		send_pages(partial.of(feed), feed, target);
	if(sifted.full)
		send_held(holding_.take_all(target.dialog), feed, target);
}

void Teller::tell_changes(const Work &work, bool urgent)
{
	Round round(work);
	const bool sifts = !holding_.idle()
					   || std::ranges::any_of(
							   work.alerts, [](const AlertRec &alert) { return alert.chattering; });
	for(auto at = work.concerns.begin(); at != work.concerns.end();) {
		const std::string &feed = at->feed;
		std::vector<std::size_t> which;
		for(; at != work.concerns.end() && at->feed == feed; ++at)
			which.push_back(at->alert);
		for(const SubTarget &target : subs_of(feed, slot_)) {
			PartialDocuments &partial = round.documents_of(which);
			if(!entitled(target, feed))
				continue; // it has been told that there is nothing for it
			if(partial.empty())
				break; // newer news of all of it is on the way, or was urgent and has been told
			if(sifts && (holding_.concerns(target, feed) || chatters(work, which))) {
				tell_one(target, feed, which, round);
			} else {
				const std::lock_guard<Mutex> guard(dialog_mutex(target.dialog));
				send_pages(partial.of(feed), feed, target);
			}
			if(interrupted(urgent))
				round.forget();
		}
	}
}

void Teller::tell(const Work &work, bool urgent)
{
	tell_changes(work, urgent);
	for(const std::string &feed : work.feeds)
		tell_feed(feed, urgent);
	for(const SubRef sub : work.subs)
		if(SubTarget target{}; const auto feed = find_sub(sub, target))
			send_full(*feed, target);
}

bool Teller::tell_urgent()
{
	if(notifier_.high.used() == 0)
		return false;
	const Work work = take(notifier_.high);
	tell(work, true);
	return work.any;
}

bool Teller::tell_normal()
{
	const Work work = take(notifier_.normal);
	tell(work, false);
	return work.any;
}

// What was held back and is due.
bool Teller::tell_held()
{
	bool any = false;
	for(const std::uint64_t dialog : holding_.due(mono_now())) {
		SubTarget target{};
		const auto feed = find_dialog(dialog, target);
		if(!feed || !entitled(target, *feed)) {
			holding_.forget(dialog); // the latter has been told that there is nothing for it
			continue;
		}
		{
			const std::lock_guard<Mutex> guard(dialog_mutex(dialog));
			const std::vector<AlertRec> news = holding_.take_due(target, *feed);
			any = any || !news.empty();
			send_held(news, *feed, target);
		}
		(void)interrupted(false);
	}
	return any;
}

bool Teller::tell_everything()
{
	if(!notifier_.refresh_all.exchange(false))
		return false;
	for(const std::string &feed : feeds_with_subs(slot_))
		tell_feed(feed, false);
	return true;
}

} // namespace

void notify_once(std::size_t slot, int milliseconds, const SendDocument &send, Holding &holding)
{
	store()->notifier[slot].waker.wait(holding.patience(milliseconds));
	Teller teller(slot, send, holding);
	for(bool more = true; more;) {
		holding.follow_rules();
		more = teller.tell_urgent();
		more = teller.tell_everything() || more;
		more = teller.tell_held() || more;
		more = teller.tell_normal() || more;
	}
	holding.sweep();
}

} // namespace bmd
