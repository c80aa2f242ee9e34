/// @file notifier.cpp  The loop of a notifier process.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "notifier.hpp"

#include <map>
#include <mutex>
#include <shared_mutex>

#include "documents.hpp"
#include "registry.hpp"

namespace bmd {

namespace {

constexpr std::size_t most_at_once = 512; // changes coalesced before anything is sent

// The urgent ring overtakes the other: what was told of an alert by the one must not be followed by
// older news of the other.  By alert, as long as the other has entries from before.
std::map<Uuid, std::uint32_t> told_urgently;

// What one round has to say, by feed.
struct Work
{
	std::map<std::string, std::vector<AlertRec>> changes;
	std::vector<std::string> refreshes;
};

void add_change(Work &work, std::size_t slot, std::string_view feed, const AlertRec &alert)
{
	if(notifier_of(feed) != slot)
		return;
	std::vector<AlertRec> &list = work.changes[std::string(feed)];
	for(AlertRec &known : list) {
		if(known.id == alert.id) {
			known = alert; // the later state stands for both
			return;
		}
	}
	list.push_back(alert);
}

void add_feeds_of(Work &work, std::size_t slot, const AlertRec &alert)
{
	const Store &s = *store();
	const Index device = find_device(alert.serial);
	if(device == 0)
		return;
	if(s.devices[device].watched.load())
		add_change(work, slot, "dev." + std::string(alert.serial), alert);
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		if(const FeedRec &feed = s.feeds[s.members[e].feed]; feed.watched.load())
			add_change(work, slot, feed.name, alert);
}

// Remembers what was urgent; tells of the rest whether something newer was told already.
bool overtaken(const AlertRec &alert, bool urgent)
{
	if(urgent) {
		told_urgently[alert.id] = alert.revision;
		return false;
	}
	const auto told = told_urgently.find(alert.id);
	return told != told_urgently.end() && alert.revision < told->second;
}

Work take_work(SlotRing &ring, std::size_t slot)
{
	Work work;
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	std::uint64_t at = ring.tail();
	for(std::size_t n = 0; n < most_at_once; ++n) {
		const auto *change = static_cast<const FeedChange *>(ring.next(at));
		if(change == nullptr)
			break;
		if(change->alert.serial[0] != '\0') {
			if(!overtaken(change->alert, &ring == &store()->notifier[slot].high))
				add_feeds_of(work, slot, change->alert);
		} else {
			work.refreshes.emplace_back(change->feed);
		}
	}
	ring.release(at);
	return work;
}

std::vector<std::string> watched_feeds(std::size_t slot)
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	std::vector<std::string> names;
	for(Index i = 1; i <= s.feeds.used; ++i)
		if(s.feeds[i].watched.load() && notifier_of(s.feeds[i].name) == slot)
			names.emplace_back(s.feeds[i].name);
	for(Index i = 1; i <= s.devices.used; ++i) {
		if(!s.devices[i].watched.load())
			continue;
		std::string name = "dev." + std::string(s.devices[i].serial);
		if(notifier_of(name) == slot)
			names.push_back(std::move(name));
	}
	return names;
}

void refresh(const std::string &feed, const SendDocument &send)
{
	const std::lock_guard<Mutex> guard(feed_mutex(feed));
	for(const std::string &body : full_documents(feed))
		send(feed_uri(feed), body);
}

// False when there was nothing.
bool do_work(const Work &work, const SendDocument &send)
{
	for(const auto &[feed, alerts] : work.changes) {
		const std::lock_guard<Mutex> guard(feed_mutex(feed));
		for(const std::string &body : partial_documents(feed, alerts))
			send(feed_uri(feed), body);
	}
	for(const std::string &feed : work.refreshes)
		refresh(feed, send);
	return !work.changes.empty() || !work.refreshes.empty();
}

} // namespace

Mutex &feed_mutex(std::string_view feed) noexcept
{
	return store()->feed_lock[hash_name(feed) % feed_stripes];
}

void notify_once(std::size_t slot, int milliseconds, const SendDocument &send)
{
	Notifier &notifier = store()->notifier[slot];
	notifier.waker.wait(milliseconds);
	for(bool more = true; more;) {
		more = notifier.refresh_all.exchange(false);
		if(more)
			for(const std::string &feed : watched_feeds(slot))
				refresh(feed, send);
		while(do_work(take_work(notifier.high, slot), send))
			more = true;
		if(do_work(take_work(notifier.normal, slot), send))
			more = true;
		else if(notifier.normal.used() == 0)
			told_urgently.clear();
	}
}

} // namespace bmd
