/// @file store.cpp  Lays the shared block out.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "store.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <new>

#include "bmd_host.h"
#include "changes.hpp"
#include "delivery.hpp"
#include "escalation_journal.hpp"
#include "journal.hpp"

namespace bmd {

namespace {

// By default two recipients an alert and a quarter of one whom it has reached; each hash table may
// have twice as many heads as entries.
constexpr std::size_t heads_of_alert = 2 * 2 * sizeof(Index);
constexpr std::size_t heads_of_recipient = 2 * sizeof(Index);
constexpr std::size_t heads_of_reached = 2 * sizeof(Index);
static_assert(sizeof(AlertRec) + sizeof(EscalationRec) + heads_of_alert
							  + 2 * (sizeof(RecipientRec) + heads_of_recipient)
							  + (sizeof(ReachedRec) + heads_of_reached) / 4
					  <= 512,
		"an open alert takes at most 512 bytes");

Store *the_store = nullptr;
void *the_memory = nullptr; // where its block begins

// Hands out pieces of one block; without memory it only counts.
class Layout
{
public:
	explicit Layout(unsigned char *memory) noexcept : memory_(memory) {}

	template <class T> T *take(std::size_t count) noexcept
	{
		offset_ = (offset_ + 63) / 64 * 64;
		T *piece = memory_ == nullptr ? nullptr : reinterpret_cast<T *>(memory_ + offset_);
		offset_ += sizeof(T) * count;
		return piece;
	}
	[[nodiscard]] std::size_t size() const noexcept { return offset_; }

private:
	unsigned char *memory_;
	std::size_t offset_ = 0;
};

template <class T> void table(Layout &layout, Table<T> &to, std::size_t count) noexcept
{
	to.at = layout.take<T>(count + 1);
	to.size = count;
}

void buckets(Layout &layout, Buckets &to, std::size_t count) noexcept
{
	std::size_t size = 64;
	while(size < count)
		size *= 2;
	to.head = layout.take<Index>(size);
	to.mask = size - 1;
}

struct Rings
{
	unsigned char *journal;
	unsigned char *alert_events;
	unsigned char *deliveries;
	unsigned char *window_log;
	unsigned char *escalations;
	unsigned char *tasks;
	unsigned char *changes[max_notifiers][2];
};

Limits resolved(Limits limits) noexcept
{
	if(limits.metrics == 0)
		limits.metrics = limits.devices * 4;
	if(limits.rules == 0)
		limits.rules = limits.devices + 10'000;
	if(limits.texts == 0)
		limits.texts = limits.devices * 6;
	if(limits.groups == 0)
		limits.groups = limits.feeds * 4;
	if(limits.members == 0)
		limits.members = limits.devices * 3 + limits.feeds * 16;
	if(limits.alerts == 0)
		limits.alerts = std::max<std::size_t>(1024, limits.devices / 10);
	if(limits.alert_events == 0)
		limits.alert_events = std::clamp<std::size_t>(limits.alerts, 16'384, 65'536);
	if(limits.recipients == 0)
		limits.recipients = std::max<std::size_t>(16'384, limits.alerts * 2);
	if(limits.reached == 0)
		limits.reached = std::max<std::size_t>(32'768, limits.alerts / 4);
	if(limits.escalations == 0)
		limits.escalations = limits.alert_events / 2;
	if(limits.held == 0)
		limits.held = std::clamp<std::size_t>(limits.subscriptions, 64, 4'096);
	if(limits.notifiers < 1)
		limits.notifiers = 1;
	if(limits.notifiers > max_notifiers)
		limits.notifiers = max_notifiers;
	limits.journal_bytes = limits.journal_bytes / 16 * 16;
	return limits;
}

// The same walk twice: once to count, once to place.
Store *place(Layout &layout, const Limits &limits, Rings &rings) noexcept
{
	static Store counting; // stands in for the block while there is none
	Store *s = layout.take<Store>(1);
	const bool real = s != nullptr;
	s = real ? new (s) Store() : new (&counting) Store();
	s->limits = limits;
	table(layout, s->types, max_types);
	table(layout, s->texts, limits.texts);
	table(layout, s->rules, limits.rules);
	table(layout, s->patients, limits.devices);
	table(layout, s->devices, limits.devices);
	s->heard = layout.take<HeardRec>(limits.devices + 1);
	table(layout, s->metrics, limits.metrics);
	table(layout, s->feeds, limits.feeds);
	table(layout, s->members, limits.members);
	table(layout, s->groups, limits.groups);
	table(layout, s->alerts, limits.alerts);
	table(layout, s->collectors, max_collectors);
	buckets(layout, s->type_hash, max_types);
	buckets(layout, s->device_hash, limits.devices);
	buckets(layout, s->patient_hash, limits.devices);
	buckets(layout, s->feed_hash, limits.feeds);
	buckets(layout, s->collector_hash, max_collectors);
	buckets(layout, s->code_hash, limits.alerts);
	buckets(layout, s->kept_hash, limits.alerts);
	table(layout, s->subs, limits.subscriptions);
	buckets(layout, s->sub_feed_hash, limits.subscriptions);
	buckets(layout, s->sub_dialog_hash, limits.subscriptions);
	buckets(layout, s->sub_user_hash, limits.subscriptions);
	table(layout, s->credentials, limits.feeds);
	buckets(layout, s->credential_hash, limits.feeds);
	s->rows.head = layout.take<RowHead>(row_buckets);
	s->escalation = layout.take<EscalationRec>(limits.alerts + 1);
	table(layout, s->recipients, limits.recipients);
	buckets(layout, s->recipient_hash, limits.recipients);
	table(layout, s->reached, limits.reached);
	buckets(layout, s->reached_hash, limits.reached);
	s->duty.text = layout.take<char>(limits.duty_bytes);
	s->duty.capacity = limits.duty_bytes;
	s->watcher_rules.text = layout.take<char>(limits.duty_bytes);
	s->watcher_rules.capacity = limits.duty_bytes;
	s->policy.text = layout.take<char>(limits.duty_bytes);
	s->policy.capacity = limits.duty_bytes;
	table(layout, s->held, limits.held);
	rings.journal = layout.take<unsigned char>(limits.journal_bytes);
	rings.alert_events = layout.take<unsigned char>(
			limits.alert_events * SlotRing::slot_bytes(sizeof(AlertEvent)));
	rings.deliveries =
			layout.take<unsigned char>(limits.deliveries * SlotRing::slot_bytes(sizeof(Delivery)));
	rings.window_log =
			layout.take<unsigned char>(max_windows * SlotRing::slot_bytes(sizeof(WindowRec)));
	rings.escalations = layout.take<unsigned char>(
			limits.escalations * SlotRing::slot_bytes(sizeof(EscalationRow)));
	rings.tasks = layout.take<unsigned char>(limits.tasks * SlotRing::slot_bytes(sizeof(SendTask)));
	for(std::size_t i = 0; i < limits.notifiers; ++i)
		for(auto &ring : rings.changes[i])
			ring = layout.take<unsigned char>(
					limits.changes * SlotRing::slot_bytes(sizeof(FeedChange)));
	return real ? s : nullptr;
}

void init_locks(Store &s) noexcept
{
	s.registry_lock.init();
	for(Mutex &mutex : s.stripe)
		mutex.init();
	for(Mutex &mutex : s.dialog_lock)
		mutex.init();
	s.book_lock.init();
	s.pool_lock.init();
	s.sub_lock.init();
	s.windows.lock.init();
	s.recipient_lock.init();
	s.reached_lock.init();
	s.duty_lock.init();
	s.held_lock.init();
	s.filters.lock.init();
	s.escalation_waker.init();
	s.task_waker.init();
	s.writer_waker.init();
	s.rows.lock.init();
	s.rows.waker.init();
	for(std::size_t i = 1; i <= s.collectors.size; ++i)
		s.collectors.at[i].lock.init();
	for(ShareRec &share : s.shares)
		share.lock.init();
}

void init_rings(Store &s, const Rings &rings) noexcept
{
	s.journal.init(rings.journal, s.limits.journal_bytes);
	s.alert_events.init(
			rings.alert_events, s.limits.alert_events, SlotRing::slot_bytes(sizeof(AlertEvent)));
	s.deliveries.init(
			rings.deliveries, s.limits.deliveries, SlotRing::slot_bytes(sizeof(Delivery)));
	s.window_log.init(rings.window_log, max_windows, SlotRing::slot_bytes(sizeof(WindowRec)));
	s.escalations.init(
			rings.escalations, s.limits.escalations, SlotRing::slot_bytes(sizeof(EscalationRow)));
	s.tasks.init(rings.tasks, s.limits.tasks, SlotRing::slot_bytes(sizeof(SendTask)));
	for(std::size_t i = 0; i < s.limits.notifiers; ++i) {
		const std::size_t slot = SlotRing::slot_bytes(sizeof(FeedChange));
		s.notifier[i].waker.init();
		s.notifier[i].high.init(rings.changes[i][0], s.limits.changes, slot);
		s.notifier[i].normal.init(rings.changes[i][1], s.limits.changes, slot);
	}
}

} // namespace

Store *create_store(const Limits &wanted, std::size_t &needed) noexcept
{
	const Limits limits = resolved(wanted);
	Rings rings{};
	Layout counter(nullptr);
	(void)place(counter, limits, rings);
	needed = counter.size();
	auto *memory = static_cast<unsigned char *>(bmd_host_shm_alloc(needed + 64));
	if(memory == nullptr)
		return nullptr;
	// Touch every page now: page faults later would be paid while alerts wait.
	std::memset(memory, 0, needed + 64);
	const auto address = reinterpret_cast<std::uintptr_t>(memory);
	Layout layout(memory + (64 - address % 64) % 64);
	Store *s = place(layout, limits, rings);
	init_locks(*s);
	init_rings(*s, rings);
	s->bytes = needed;
	s->started_at = wall_now();
	s->watcher_version.store(static_cast<std::uint64_t>(s->started_at)); // no process has read it
	s->policy_version.store(static_cast<std::uint64_t>(s->started_at));
	the_store = s;
	the_memory = memory;
	return s;
}

void free_locks() noexcept
{
	init_locks(*the_store);
}

void release_store() noexcept
{
	bmd_host_shm_free(the_memory);
	the_store = nullptr;
	the_memory = nullptr;
}

Store *store() noexcept
{
	return the_store;
}

void complain(Counter counter, std::string_view what) noexcept
{
	constexpr TimeUs pause = 10 * second_us;
	Store &s = *store();
	count(counter);
	const TimeUs now = mono_now();
	TimeUs last = s.complained[counter].load();
	if((last != 0 && now - last < pause)
			|| !s.complained[counter].compare_exchange_strong(last, now))
		return;
	char text[256];
	std::snprintf(text, sizeof text, "%.*s (%llu so far)", static_cast<int>(what.size()),
			what.data(), static_cast<unsigned long long>(s.counters[counter].load()));
	bmd_host_log(BMD_LOG_ERROR, text);
}

std::uint64_t hash_name(std::string_view name) noexcept
{
	std::uint64_t hash = 0xcbf29ce484222325;
	for(const char c : name) {
		hash ^= static_cast<unsigned char>(c);
		hash *= 0x00000100000001b3;
	}
	return hash ^ hash >> 29;
}

void copy_text(char *to, std::size_t size, std::string_view from) noexcept
{
	std::size_t length = from.size() < size ? from.size() : size - 1;
	// never half a character: the database would refuse it
	while(length < from.size() && length > 0 && (from[length] & 0xc0) == 0x80)
		--length;
	if(length > 0)
		std::memcpy(to, from.data(), length);
	std::memset(to + length, 0, size - length);
}

namespace {

TimeUs now(clockid_t clock) noexcept
{
	timespec time{};
	clock_gettime(clock, &time);
	return static_cast<TimeUs>(time.tv_sec) * second_us + time.tv_nsec / 1000;
}

} // namespace

TimeUs wall_now() noexcept
{
	return now(CLOCK_REALTIME);
}

TimeUs mono_now() noexcept
{
	return now(CLOCK_MONOTONIC);
}

TimeUs monotonic_of(TimeUs wall) noexcept
{
	return wall == 0 ? 0 : std::max<TimeUs>(1, wall - wall_now() + mono_now());
}

TimeUs wall_of(TimeUs monotonic) noexcept
{
	return monotonic == 0 ? 0 : monotonic - mono_now() + wall_now();
}

} // namespace bmd
