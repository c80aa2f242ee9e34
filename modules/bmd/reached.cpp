/// @file reached.cpp  To whom an alert was delivered, by what way, and who has seen it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "reached.hpp"

#include <algorithm>
#include <array>
#include <bit>
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

// Without a call of memcmp for each.
bool same_alert(const Uuid &a, const Uuid &b) noexcept
{
	using Halves = std::array<std::uint64_t, 2>;
	return std::bit_cast<Halves>(a) == std::bit_cast<Halves>(b);
}

// A terminal is the same when its instance or its URI is.
bool same_terminal(const ReachedRec &rec, std::uint64_t terminal, std::uint64_t instance) noexcept
{
	return rec.terminal == terminal || (instance != 0 && rec.instance == instance);
}

struct Wanted
{
	Wanted(std::string_view of, ReachedBy way) : person(of), by(way), terminal(hash_name(of)) {}
	Wanted(std::string_view of, std::uint64_t uri, std::uint64_t device)
		: person(of), by(ReachedBy::message), terminal(uri), instance(device)
	{
	}

	std::string_view person;
	ReachedBy by;
	std::uint64_t terminal;
	std::uint64_t instance = 0;
};

// Ten thousand terminals that answer at once ask for it under one lock: what is short to compare,
// and mostly differs, comes first.
bool fits(const ReachedRec &rec, const Uuid &alert, const Wanted &wanted) noexcept
{
	return same_terminal(rec, wanted.terminal, wanted.instance) && rec.by == wanted.by
		   && same_alert(rec.alert, alert) && wanted.person == rec.person;
}

static_assert(most_subscribers <= 255, "an entry has a byte for their number");

// How many entries of a NOTIFY the alert has: its newest one has counted.
std::uint8_t subscribers_of(const Uuid &alert) noexcept
{
	const Store &s = *store();
	Index i = head_of(alert);
	while(i != 0 && !same_alert(s.reached[i].alert, alert))
		i = s.reached[i].next;
	return i == 0 ? 0 : s.reached[i].subscribers;
}

Index find(const Uuid &alert, const Wanted &wanted) noexcept
{
	const Store &s = *store();
	Index i = head_of(alert);
	while(i != 0 && !fits(s.reached[i], alert, wanted))
		i = s.reached[i].next;
	return i;
}

// Finds it or adds it; nullptr: there is no room.
ReachedRec *entry(const Uuid &alert, const Wanted &wanted) noexcept
{
	Store &s = *store();
	const bool subscribes = wanted.by == ReachedBy::subscription;
	const std::uint8_t subscribers = subscribers_of(alert);
	if(subscribes && subscribers >= most_subscribers)
		return nullptr; // nor is there more to say of one that is there: looking for it would cost
	if(const Index found = find(alert, wanted); found != 0)
		return &s.reached[found];
	const Index i = take(s.reached, &ReachedRec::next);
	if(i == 0) {
		complain(count_reached_lost_memory,
				"no room to remember whom an alert has reached: raise the parameter \"reached\"");
		return nullptr;
	}
	Index &head = head_of(alert);
	s.reached[i] = ReachedRec{alert, wanted.terminal, wanted.instance, 0, 0, head, wanted.by, 0,
			false, false, static_cast<std::uint8_t>(subscribers + (subscribes ? 1 : 0)), {}};
	copy_text(s.reached[i].person, name_size, wanted.person);
	head = i;
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
	const Index i = find(alert, {person, ReachedBy::call});
	return i != 0 && s.reached[i].tried_at != 0;
}

void note_message(const Uuid &alert, const MessageOutcome &outcome) noexcept
{
	const std::lock_guard<Mutex> guard(store()->reached_lock);
	ReachedRec *rec = entry(alert, {outcome.person, outcome.terminal, outcome.instance});
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
