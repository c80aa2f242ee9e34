/// @file recipients.cpp  Feeds that show an alert that is not of a device of their own.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "recipients.hpp"

#include <cstring>
#include <mutex>

#include "table.hpp"

namespace bmd {

namespace {

Index &head_of(const Uuid &alert) noexcept
{
	return bucket(store()->recipient_hash,
			hash_name({reinterpret_cast<const char *>(alert.data()), alert.size()}));
}

Index find(const Uuid &alert, Index feed) noexcept
{
	const Store &s = *store();
	Index i = head_of(alert);
	while(i != 0 && (s.recipients[i].alert != alert || s.recipients[i].feed != feed))
		i = s.recipients[i].next_of_alert;
	return i;
}

void unlink_of_alert(Index gone) noexcept
{
	Store &s = *store();
	Index *link = &head_of(s.recipients[gone].alert);
	while(*link != 0 && *link != gone)
		link = &s.recipients[*link].next_of_alert;
	if(*link == gone)
		*link = s.recipients[gone].next_of_alert;
}

void unlink_of_feed(Index gone) noexcept
{
	Store &s = *store();
	const RecipientRec &rec = s.recipients[gone];
	(rec.prev_of_feed != 0 ? s.recipients[rec.prev_of_feed].next_of_feed
						   : s.feeds[rec.feed].first_recipient) = rec.next_of_feed;
	if(rec.next_of_feed != 0)
		s.recipients[rec.next_of_feed].prev_of_feed = rec.prev_of_feed;
}

void remove(Index i) noexcept
{
	Store &s = *store();
	unlink_of_alert(i);
	unlink_of_feed(i);
	s.recipients[i] = RecipientRec{};
	give_back(s.recipients, i, &RecipientRec::next_of_alert);
}

} // namespace

Addition add_recipient(const Uuid &alert, Index slot, Index feed, RecipientFlag why) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.recipient_lock);
	if(const Index known = find(alert, feed); known != 0) {
		std::uint8_t &reasons = s.recipients[known].why;
		const bool is_new = (reasons & why) == 0;
		reasons |= why;
		return is_new ? Addition::done : Addition::known;
	}
	const Index i = take(s.recipients, &RecipientRec::next_of_alert);
	if(i == 0) {
		complain(count_recipients_lost_memory,
				"no room to escalate an alert to one more person: raise the parameter "
				"\"recipients\"");
		return Addition::no_room;
	}
	Index &head = head_of(alert);
	Index &first = s.feeds[feed].first_recipient;
	s.recipients[i] = RecipientRec{alert, slot, feed, head, first, 0, why};
	if(first != 0)
		s.recipients[first].prev_of_feed = i;
	head = first = i;
	return Addition::done;
}

void remove_recipient(const Uuid &alert, Index feed, RecipientFlag why) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.recipient_lock);
	const Index i = find(alert, feed);
	if(i == 0)
		return;
	s.recipients[i].why &= static_cast<std::uint8_t>(~why);
	if(s.recipients[i].why == 0)
		remove(i);
}

std::vector<Index> recipients_of(const Uuid &alert, std::uint8_t why)
{
	Store &s = *store();
	std::vector<Index> feeds;
	const std::lock_guard<Mutex> guard(s.recipient_lock);
	for(Index i = head_of(alert); i != 0; i = s.recipients[i].next_of_alert)
		if(s.recipients[i].alert == alert && (s.recipients[i].why & why) != 0)
			feeds.push_back(s.recipients[i].feed);
	return feeds;
}

std::vector<Escalated> escalated_to(Index feed)
{
	Store &s = *store();
	std::vector<Escalated> alerts;
	const std::lock_guard<Mutex> guard(s.recipient_lock);
	for(Index i = s.feeds[feed].first_recipient; i != 0; i = s.recipients[i].next_of_feed)
		alerts.push_back({s.recipients[i].alert, s.recipients[i].slot});
	return alerts;
}

bool is_recipient(const Uuid &alert, Index feed, std::uint8_t why) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.recipient_lock);
	const Index i = feed == 0 ? 0 : find(alert, feed);
	return i != 0 && (s.recipients[i].why & why) != 0;
}

void forget_recipients(const Uuid &alert) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.recipient_lock);
	for(Index i = head_of(alert); i != 0;) {
		const Index next = s.recipients[i].next_of_alert;
		if(s.recipients[i].alert == alert)
			remove(i);
		i = next;
	}
}

void forget_recipient_feed(Index feed) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.recipient_lock);
	while(s.feeds[feed].first_recipient != 0)
		remove(s.feeds[feed].first_recipient);
}

} // namespace bmd
