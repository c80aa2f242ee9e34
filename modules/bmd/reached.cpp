/// @file reached.cpp  To whom an alert was delivered, by what way, and who has seen it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "reached.hpp"

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "slots.hpp"
#include "table.hpp"

namespace bmd {

namespace {

constexpr TimeUs look_interval = 5 * second_us; // so long an alert is known after its end, at least

Index &head_of(const Uuid &alert) noexcept
{
	return bucket(store()->reached_hash,
			hash_name({reinterpret_cast<const char *>(alert.data()), alert.size()}));
}

// A terminal is the same when its instance or its URI is.
bool same_terminal(const ReachedRec &rec, std::uint64_t terminal, std::uint64_t instance) noexcept
{
	return rec.terminal == terminal || (instance != 0 && rec.instance == instance);
}

struct Wanted
{
	std::string_view person;
	ReachedBy by;
	std::uint64_t terminal = 0;
	std::uint64_t instance = 0;
};

bool fits(const ReachedRec &rec, const Uuid &alert, const Wanted &wanted) noexcept
{
	return rec.alert == alert && rec.by == wanted.by && wanted.person == rec.person
		   && same_terminal(rec, wanted.terminal, wanted.instance);
}

// Finds it or adds it; nullptr: there is no room.
ReachedRec *entry(const Uuid &alert, const Wanted &wanted) noexcept
{
	Store &s = *store();
	Index *head = &head_of(alert);
	std::size_t subscribers = 0;
	for(Index i = *head; i != 0; i = s.reached[i].next) {
		ReachedRec &rec = s.reached[i];
		if(fits(rec, alert, wanted))
			return &rec;
		subscribers += rec.alert == alert && rec.by == ReachedBy::subscription ? 1 : 0;
	}
	if(wanted.by == ReachedBy::subscription && subscribers >= most_subscribers)
		return nullptr;
	const Index i = take(s.reached, &ReachedRec::next);
	if(i == 0) {
		complain(count_reached_lost_memory,
				"no room to remember whom an alert has reached: raise the parameter \"reached\"");
		return nullptr;
	}
	s.reached[i] = ReachedRec{
			alert, wanted.terminal, wanted.instance, 0, 0, *head, wanted.by, 0, false, false, {}};
	copy_text(s.reached[i].person, name_size, wanted.person);
	*head = i;
	return &s.reached[i];
}

// Ids of the alerts of a bucket.
std::vector<Uuid> alerts_in(std::size_t bucket)
{
	Store &s = *store();
	std::vector<Uuid> alerts;
	const std::lock_guard<Mutex> guard(s.reached_lock);
	for(Index i = s.reached_hash.head[bucket]; i != 0; i = s.reached[i].next)
		alerts.push_back(s.reached[i].alert);
	return alerts;
}

// Leaves those that are over.
void keep_over(std::vector<Uuid> &alerts)
{
	Store &s = *store();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	const std::lock_guard<Mutex> book(s.book_lock);
	std::erase_if(alerts, [](const Uuid &alert) { return find_by_id(alert) != 0; });
}

// Takes out what was over at the look before, too.
void sweep(Index *link, const std::vector<Uuid> &over) noexcept
{
	Store &s = *store();
	while(*link != 0) {
		const Index i = *link;
		ReachedRec &rec = s.reached[i];
		const bool now_over = std::find(over.begin(), over.end(), rec.alert) != over.end();
		if(now_over && rec.over) {
			*link = rec.next;
			rec = ReachedRec{};
			give_back(s.reached, i, &ReachedRec::next);
			continue;
		}
		rec.over = now_over;
		link = &rec.next;
	}
}

} // namespace

void note_delivered(const Uuid &alert, std::string_view person, ReachedBy by, TimeUs at) noexcept
{
	const std::lock_guard<Mutex> guard(store()->reached_lock);
	if(ReachedRec *rec = entry(alert, {person, by}); rec != nullptr && rec->at == 0)
		rec->at = at;
}

void note_asked(const Uuid &alert, std::string_view person, ReachedBy by) noexcept
{
	const std::lock_guard<Mutex> guard(store()->reached_lock);
	(void)entry(alert, {person, by});
}

void note_called(const Uuid &alert, std::string_view person) noexcept
{
	const std::lock_guard<Mutex> guard(store()->reached_lock);
	if(ReachedRec *rec = entry(alert, {person, ReachedBy::call}); rec != nullptr)
		rec->tried_at = mono_now();
}

bool was_called(const Uuid &alert, std::string_view person) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.reached_lock);
	for(Index i = head_of(alert); i != 0; i = s.reached[i].next)
		if(fits(s.reached[i], alert, {person, ReachedBy::call}))
			return s.reached[i].tried_at != 0;
	return false;
}

void note_message(const Uuid &alert, const MessageOutcome &outcome) noexcept
{
	const std::lock_guard<Mutex> guard(store()->reached_lock);
	ReachedRec *rec =
			entry(alert, {outcome.person, ReachedBy::message, outcome.terminal, outcome.instance});
	if(rec == nullptr)
		return;
	rec->failed = !outcome.taken;
	rec->tried_at = mono_now();
	rec->terminal = outcome.terminal; // the newest address of the instance
	if(!outcome.taken)
		return;
	rec->told = outcome.told;
	if(rec->at == 0)
		rec->at = outcome.at;
}

void note_seen(const Uuid &alert, std::string_view person) noexcept
{
	if(!person.empty())
		note_delivered(alert, person, ReachedBy::answer, wall_now());
}

std::vector<ReachedRec> reached_of(const Uuid &alert)
{
	Store &s = *store();
	std::vector<ReachedRec> found;
	const std::lock_guard<Mutex> guard(s.reached_lock);
	for(Index i = head_of(alert); i != 0; i = s.reached[i].next)
		if(s.reached[i].alert == alert)
			found.push_back(s.reached[i]);
	std::reverse(found.begin(), found.end());
	return found;
}

std::vector<std::pair<Uuid, int>> all_told()
{
	Store &s = *store();
	std::vector<std::pair<Uuid, int>> told;
	{
		const std::lock_guard<Mutex> guard(s.reached_lock);
		for(Index i = 1; i <= s.reached.used; ++i)
			if(s.reached[i].by == ReachedBy::message && s.reached[i].told != BMD_TOLD_NOTHING)
				told.emplace_back(s.reached[i].alert, s.reached[i].told);
	}
	std::sort(told.begin(), told.end());
	told.erase(std::unique(told.begin(), told.end()), told.end());
	return told;
}

bool was_asked(const Uuid &alert) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.reached_lock);
	Index i = head_of(alert);
	while(i != 0
			&& (s.reached[i].alert != alert
					|| (s.reached[i].by != ReachedBy::message
							&& s.reached[i].by != ReachedBy::call)))
		i = s.reached[i].next;
	return i != 0;
}

void look_after_reached()
{
	static TimeUs looked = 0; // of the timer's process
	Store &s = *store();
	const TimeUs now = mono_now();
	if(now - looked < look_interval)
		return;
	looked = now;
	for(std::size_t b = 0; b <= s.reached_hash.mask; ++b) {
		if(s.reached_hash.head[b] == 0) // a stale look costs one round
			continue;
		// the book's lock comes before the table's
		std::vector<Uuid> over = alerts_in(b);
		keep_over(over);
		const std::lock_guard<Mutex> guard(s.reached_lock);
		sweep(&s.reached_hash.head[b], over);
	}
}

} // namespace bmd
