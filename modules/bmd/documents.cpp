/// @file documents.cpp  The DMP documents of a feed.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "documents.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <tuple>

#include "bmd/dmp_feed.hpp"
#include "book.hpp"
#include "fitting.hpp"
#include "recipients.hpp"
#include "registry.hpp"
#include "storm.hpp"

namespace bmd {

namespace {

std::string domain;

constexpr std::string_view device_prefix = "dev.";

void add_open(Index device, std::vector<AlertRec> &alerts)
{
	Store &s = *store();
	if(device == 0 || s.devices[device].first_alert == 0)
		return;
	const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
	for(Index i = s.devices[device].first_alert; i != 0; i = s.alerts[i].next_of_device)
		alerts.push_back(s.alerts[i]);
}

// A storm whose devices are not marked yet has nothing to say.  Caller holds the stripe.
bool begins(const AlertRec &alert)
{
	const std::uint8_t storm = alert.condition == Condition::storm ? find_storm(alert.id) : 0;
	return storm != 0 && !store()->storms[storm].ready;
}

// The alert if it is still open.
void add_escalated(const Escalated &escalated, std::vector<AlertRec> &alerts)
{
	Store &s = *store();
	const AlertRec &alert = s.alerts[escalated.slot];
	const Index device = std::atomic_ref<const Index>(alert.device).load(std::memory_order_relaxed);
	const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
	if(alert.id != escalated.alert || alert.device != device || alert.state == AlertState::cleared
			|| begins(alert))
		return;
	alerts.push_back(alert);
}

// What was escalated to the feed, apart from what is there already.
void add_escalated_to(Index feed, std::vector<AlertRec> &alerts)
{
	const std::vector<Escalated> escalated = escalated_to(feed);
	if(escalated.empty())
		return;
	std::set<Uuid> there;
	for(const AlertRec &alert : alerts)
		there.insert(alert.id);
	for(const Escalated &one : escalated)
		if(!there.contains(one.alert))
			add_escalated(one, alerts);
}

// Of a storm, which tells of it.
bool is_member(const AlertRec &alert) noexcept
{
	return alert.response.suppressed == Suppression::storm;
}

// What waits for somebody comes first.
bool calls_before(const AlertRec &a, const AlertRec &b) noexcept
{
	const auto rank = [](const AlertRec &alert) {
		return std::make_tuple(alert.response.suppressed != Suppression::none,
				taken(alert.response), -static_cast<int>(alert.priority), alert.raised_at);
	};
	return rank(a) < rank(b);
}

std::string write_page(
		std::string_view feed, const Telling &telling, std::size_t at, std::size_t count, bool full)
{
	const Permits permits;
	const ShownDevice shown = permits.shown_to(telling.user, feed);
	dmp::Feed document;
	document.feed = feed_uri(feed);
	document.full = full;
	document.at = wall_now();
	document.more = static_cast<std::uint32_t>(telling.alerts.size() - at - count);
	if(full) { // what follows, and what has changed, says nothing of the others
		document.counted = telling.counted;
		document.filtered = telling.filtered;
	}
	for(std::size_t i = at; i < at + count; ++i) {
		describe_alert(telling.alerts[i], document.alerts.emplace_back(), telling.of(i));
		if(telling.alerts[i].condition == Condition::storm)
			describe_storm(telling.alerts[i], feed, document.alerts.back(), shown);
	}
	return dmp::write_feed(document);
}

std::vector<AlertMark> marks_of(
		const std::vector<AlertRec> &alerts, std::size_t at, std::size_t count)
{
	std::vector<AlertMark> marks;
	for(std::size_t i = at; i < at + count; ++i)
		marks.push_back({alerts[i].id, alerts[i].revision});
	return marks;
}

// Caller holds the registry lock.
std::vector<Page> write_pages(std::string_view feed, const Telling &telling, bool full)
{
	std::vector<Page> pages;
	const std::size_t size = telling.alerts.size();
	for(std::size_t at = 0; at < size || pages.empty();) {
		std::size_t count = std::min(alerts_per_document, size - at);
		const bool first = full && pages.empty();
		std::string page = write_page(feed, telling, at, count, first);
		// Long texts: half as many, until it fits.
		while(page.size() > bytes_per_document && count > 1) {
			count /= 2;
			page = write_page(feed, telling, at, count, first);
		}
		pages.push_back({std::move(page), marks_of(telling.alerts, at, count),
				first ? telling.counted : std::nullopt});
		at += count;
	}
	count(count_notify_documents, pages.size());
	return pages;
}

} // namespace

void set_feed_domain(std::string_view name)
{
	domain = name;
}

const std::string &feed_domain() noexcept
{
	return domain;
}

std::string feed_uri(std::string_view user)
{
	return "sip:" + std::string(user) + "@" + domain;
}

std::vector<AlertRec> feed_alerts(std::string_view feed)
{
	const Store &s = *store();
	std::vector<AlertRec> alerts;
	if(feed.starts_with(device_prefix)) {
		add_open(find_device(feed.substr(device_prefix.size())), alerts);
	} else if(const Index i = find_feed(feed); i != 0) {
		for(Index e = s.feeds[i].first_device; e != 0; e = s.members[e].next_of_feed)
			add_open(s.members[e].device, alerts);
		add_escalated_to(i, alerts);
		std::erase_if(alerts, is_member);
	}
	std::sort(alerts.begin(), alerts.end(), [](const AlertRec &a, const AlertRec &b) {
		const bool a_waits = a.response.suppressed != Suppression::none;
		const bool b_waits = b.response.suppressed != Suppression::none;
		if(a_waits != b_waits)
			return b_waits;
		return a.priority != b.priority ? a.priority > b.priority : a.raised_at > b.raised_at;
	});
	return alerts;
}

std::vector<Page> full_documents(std::string_view feed, std::string_view user, std::uint32_t filter)
{
	const Fitting fitting(filter);
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	Telling telling = tell_to(Permits(), user, feed, feed_alerts(feed));
	fitting.apply(telling);
	return write_pages(feed, telling, true);
}

namespace {

// How many devices of a feed have alerts: what it takes to find out that a feed is quiet.
std::size_t look_through(std::string_view feed)
{
	const Store &s = *store();
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	std::size_t devices = 0;
	if(feed.starts_with(device_prefix)) {
		devices = s.devices[find_device(feed.substr(device_prefix.size()))].first_alert != 0;
	} else if(const Index i = find_feed(feed); i != 0) {
		for(Index e = s.feeds[i].first_device; e != 0; e = s.members[e].next_of_feed)
			devices += s.devices[s.members[e].device].first_alert != 0 ? 1 : 0;
		devices += escalated_to(i).size();
	}
	return devices;
}

} // namespace

// A decoy gets the very document of a feed on which nothing happens, in the same time: large feeds
// take longer.
std::vector<Page> pages_for(
		const Verdict &verdict, std::string_view feed, std::string_view user, std::uint32_t filter)
{
	[[maybe_unused]] static volatile std::size_t looked = 0; // so that the compiler leaves it there
	const Standing standing = standing_of(verdict);
	if(standing == Standing::active)
		return full_documents(feed, user, filter);
	const bool decoy = standing == Standing::decoy;
	if(decoy)
		looked = look_through(feed);
	const bool counted = decoy && !verdict.shown.alerts;
	return {{empty_document(feed, filter != 0, counted), {},
			counted ? std::optional(0U) : std::nullopt}};
}

std::vector<AlertRec> open_alerts_for(std::string_view person)
{
	const Store &s = *store();
	std::vector<AlertRec> alerts;
	const Index i = find_feed(person);
	if(i == 0 || s.feeds[i].is_group)
		return alerts;
	for(Index e = s.feeds[i].first_device; e != 0; e = s.members[e].next_of_feed)
		add_open(s.members[e].device, alerts);
	add_escalated_to(i, alerts);
	for(Index g = s.feeds[i].first_group; g != 0; g = s.groups[g].next)
		add_escalated_to(s.groups[g].group, alerts);
	const Permits permits;
	const bool restricted = permits.restricts(person);
	std::erase_if(alerts, [&](const AlertRec &alert) {
		return is_member(alert) || (restricted && !permits.in_person(person, alert));
	});
	std::ranges::sort(alerts, calls_before);
	return alerts;
}

std::optional<AlertRec> present_state(const AlertRec &change)
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	const Index device = find_device(change.serial);
	if(device != 0 || is_of_no_device(change.condition)) {
		const std::lock_guard<Mutex> guard(s.stripe[device % stripes]);
		for(Index i = s.devices[device].first_alert; i != 0; i = s.alerts[i].next_of_device)
			if(s.alerts[i].id == change.id)
				return begins(s.alerts[i]) ? std::nullopt : std::optional(s.alerts[i]);
	}
	return change.state == AlertState::cleared ? std::optional(change) : std::nullopt;
}

PartialDocuments::PartialDocuments(std::vector<AlertRec> alerts)
	: PartialDocuments(Telling{std::move(alerts), {}, {}, {}, {}})
{
}

PartialDocuments::PartialDocuments(Telling telling)
	: telling_(std::move(telling)),
	  differ_(std::ranges::any_of(telling_.alerts,
			  [](const AlertRec &alert) { return alert.condition == Condition::storm; }))
{
}

const std::vector<Page> &PartialDocuments::of(std::string_view feed)
{
	if(pages_.empty() || (differ_ && feed != feed_)) {
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		pages_ = write_pages(feed, telling_, false);
	} else {
		if(feed != feed_)
			for(Page &page : pages_)
				dmp::set_feed(page.text, feed_uri(feed));
		count(count_notify_documents_reused, pages_.size());
	}
	feed_ = feed;
	return pages_;
}

std::string empty_document(std::string_view feed, bool filtered, bool counted)
{
	Telling nothing;
	if(filtered)
		nothing.filtered = 0;
	if(counted)
		nothing.counted = 0;
	return write_pages(feed, nothing, true).front().text;
}

void mark_watched(std::string_view feed) noexcept
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	if(feed.starts_with(device_prefix)) {
		if(const Index device = find_device(feed.substr(device_prefix.size())); device != 0)
			s.devices[device].watched.store(true);
	} else if(const Index i = find_feed(feed); i != 0) {
		s.feeds[i].watched.store(true);
	}
}

} // namespace bmd
