/// @file store.hpp  Everything of this module that lives in shared memory: plain records, locks.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// One block, allocated and touched before the fork, mapped at the same address in every process.
/// Records refer to each other by index; 0 means none, so slot 0 of every table stays empty.
///
/// Lock order: dialog lock, collector lock, share lock (never waited for), registry lock, device
/// stripe, subscription, book or pool lock, recipients, reached, what is held, filters, rings, rows
/// that wait.  Nobody sends or touches a database while holding any but a dialog lock.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alert_rec.hpp"
#include "bmd/metric.hpp"
#include "bmd/report.hpp"
#include "bmd/threshold.hpp"
#include "escalation_records.hpp"
#include "filter_rec.hpp"
#include "held_rec.hpp"
#include "lock.hpp"
#include "reached_rec.hpp"
#include "ring.hpp"
#include "share.hpp"
#include "store_kamailio.hpp"
#include "store_limits.hpp"
#include "storm_rec.hpp"
#include "sub_rec.hpp"
#include "text.hpp"
#include "window_rec.hpp"

namespace bmd {

inline constexpr std::size_t location_size = 96;         ///< with its closing zero, as the
inline constexpr std::size_t patient_name_size = 96;     ///< following: what the database allows
inline constexpr std::size_t patient_address_size = 192; ///< at most
inline constexpr std::size_t max_types = 256;
inline constexpr std::size_t max_metric_id = 2000;
inline constexpr std::size_t max_collectors = 65'536;
inline constexpr std::size_t max_shares = 2048; ///< of collectors that bring much at a time
inline constexpr std::size_t stripes = 1024;
inline constexpr std::size_t dialog_stripes = 1024;
inline constexpr std::size_t max_notifiers = 16;

/// Which columns of a prescribed value are set; the others are those of the type.
enum RuleField : std::uint16_t
{
	rule_low = 1,
	rule_high = 2,
	rule_hysteresis = 4,
	rule_delay = 8,
	rule_priority = 16,
	rule_latching = 32,
	rule_low_low = 64,
	rule_high_high = 128,
	rule_rises_after = 256,
	rule_most_per_hour = 512
};

struct RuleRec
{
	Rule rule;
	Index next = 0; ///< next rule of the same device, or next free one
	MetricId metric = 0;
	std::uint16_t fields = 0; ///< RuleField bits
};

struct TypeRec
{
	char name[name_size];
	DurationUs stale_after;
	Index next_hash; ///< or next free one
	std::uint32_t generation;
	std::uint32_t devices; ///< of this type: it cannot go before them
	bool used;
	Index rule_of[max_metric_id]; ///< standard values by metric id, 0: none
};

struct PatientRec
{
	std::int64_t id;
	Index next_hash; ///< or next free one
	std::uint32_t generation;
	std::uint32_t devices; ///< that serve this patient: the slot cannot go before them
	Text name;
	Text address;
};

/// What is remembered of one metric (or of one alarm of its own) of one device.
struct MetricRec
{
	Watch limits;
	Watch validity;
	double value;       ///< last value; NaN: the last reading was invalid
	TimeUs measured_at; ///< of the last reading
	TimeUs judged_at;   ///< of the same, as used for delays
	TimeUs last_onset;  ///< of the last alert raised: the next has a later one, so another id
	Index limit_alert;  ///< open alert of a limit, or of the device's own alarm
	Index valid_alert;  ///< open alert of condition invalid
	Index next;         ///< next metric of the same device, or next free one
	MetricId metric;
};

enum DeviceFlag : std::uint8_t
{
	device_enabled = 1,
	device_seen = 2, ///< it has reported before, ever: from now on silence is an alert
	device_stale = 4 ///< a stale alert is open
};

/// Scanned by the timer for silence, so kept apart from the rest of the device.
struct HeardRec
{
	std::atomic<TimeUs> mono; ///< monotonic time of the last report
	std::atomic<std::uint32_t> stale_after_ms;
	std::atomic<std::uint8_t> flags; ///< DeviceFlag bits
};

struct DeviceRec
{
	char serial[name_size];
	std::uint64_t collector; ///< hash of the name of the only collector that may report it; 0: any
	TimeUs last_measured;    ///< judged time of the newest line: what lies before is late
	TimeUs last_told;        ///< time of the last line of `last_source` as it told it
	std::uint64_t last_source; ///< hash of the collector last judged; 0: none since the start
	TimeUs last_arrived;
	std::int32_t database_id;
	Text location;
	Index next_hash; ///< or next free one
	Index type;
	Index patient;
	Index first_rule; ///< prescribed values
	Index first_metric;
	Index first_member; ///< feeds this device belongs to
	Index stale_alert;
	Index first_alert; ///< open alerts of this device, newest first
	std::uint32_t generation;
	std::atomic<bool> watched;       ///< somebody has subscribed to the device's feed
	std::atomic<std::uint8_t> storm; ///< number of the storm that tells of its silence; 0: none
};

/// A technician's or a group's feed.  Device feeds are the devices themselves.  A team that is
/// responsible for devices, and an area, is kept like a group; nobody can watch it.
struct FeedRec
{
	char name[name_size]; ///< user name, "grp." and the group's name, "@" and the team's number, or
						  ///< "#" and the area's name
	Index next_hash;      ///< or next free one
	Index first_device;   ///< member edges
	Index first_group;    ///< person: groups the person is assigned to
	Index first_recipient;     ///< alerts that were escalated to it
	std::uint32_t watchers;    ///< group: persons assigned to it
	bool is_group;             ///< or a team
	std::atomic<bool> watched; ///< somebody has subscribed to it
};

/// A device belongs to a feed.
struct MemberRec
{
	Index device;
	Index feed;
	Index next_of_device; ///< or next free one
	Index next_of_feed;
	Index prev_of_feed; ///< so that it leaves a feed of any size at once
	std::uint32_t mark; ///< of the last reading that found it in the database
};

/// A person is assigned to a group.
struct GroupRec
{
	Index group;
	Index next; ///< or next free one
};

struct CollectorRec
{
	char name[name_size];
	Mutex lock;
	std::int64_t epoch;
	std::int64_t accepted_seq; ///< highest batch taken
	std::int64_t judged_epoch; ///< a batch judged without room to store it: not judged again
	std::int64_t judged_seq;
	std::atomic<std::int64_t> durable_epoch;
	std::atomic<std::int64_t> durable_seq; ///< highest batch in the database
	std::atomic<std::int32_t> database_id; ///< bmd_collector_state.collector_id; 0: not known yet
	Index next_hash;
};

/// What a collector that brings much takes of what all share.  There are fewer than collectors:
/// when two meet at one, it belongs to the first until nothing is held against it, and the other
/// has none.
struct ShareRec
{
	Mutex lock; ///< held while a batch is taken
	CollectorShare share;
	Index collector;
};

/// Counters; counters.inc gives their names and meanings.
enum Counter : std::uint16_t
{
#define COUNTER(name, text) count_##name,
#include "counters.inc"
#undef COUNTER
	counter_count
};

/// A table of `size` records with slot 0 unused, and the free list or high-water mark of it.
template <class T> struct Table
{
	T *at = nullptr;
	std::size_t size = 0;
	Index used = 0; ///< slots handed out so far: 1..used
	Index free = 0; ///< head of the list of slots given back (linked by the record's own next)

	T &operator[](Index i) noexcept { return at[i]; }
	const T &operator[](Index i) const noexcept { return at[i]; }
};

/// Hash heads: power of two.
struct Buckets
{
	Index *head = nullptr;
	std::size_t mask = 0;
};

struct Notifier
{
	Waker waker;
	std::atomic<bool> refresh_all; ///< a ring was full: tell every watched feed everything

	SlotRing high; ///< drained first
	SlotRing normal;
};

/// Of the writer; in shared memory so that the flush at the end can go on where the writer stopped.
struct WriterState
{
	std::int64_t instance; ///< names this start of the server in bmd_writer
	std::int64_t position; ///< of the last transaction known to be committed
	bool in_doubt;         ///< a COMMIT was sent for what lies before these ends
	std::uint64_t journal_end;
	std::uint64_t events_end;
	std::uint64_t deliveries_end;
	std::uint64_t windows_end;
	std::uint64_t escalations_end;
};

/// Alerts that are over, oldest first: their end not journaled yet, or they may come back.
struct EndedList
{
	Index head = 0;
	Index tail = 0;
};

struct Store
{
	Limits limits;
	std::size_t bytes;                                ///< of everything here
	RwLock registry_lock;                             ///< exclusively only by RegistryWrite
	std::atomic<std::uint64_t> registry_lock_longest; ///< microseconds held exclusively
	Mutex stripe[stripes];
	Mutex dialog_lock[dialog_stripes];
	Mutex book_lock;
	Mutex pool_lock; ///< metric records
	Mutex sub_lock;  ///< subscriptions
	Mutex recipient_lock;
	Mutex reached_lock;
	Mutex duty_lock; ///< of rosters, policies of both kinds and the rules of watchers
	Mutex held_lock;

	Table<TypeRec> types;
	Table<TextChunk> texts;
	Table<RuleRec> rules;
	Table<PatientRec> patients;
	Table<DeviceRec> devices;
	HeardRec *heard = nullptr; ///< by device index
	Table<MetricRec> metrics;
	Table<FeedRec> feeds;
	Table<MemberRec> members;
	Table<GroupRec> groups;
	Table<AlertRec> alerts;
	Table<CollectorRec> collectors;
	ShareRec shares[max_shares];
	Table<SubRec> subs;
	Table<CredentialRec> credentials;    ///< under the registry lock
	EscalationRec *escalation = nullptr; ///< by slot of the alert
	Table<RecipientRec> recipients;
	Buckets recipient_hash;
	Table<ReachedRec> reached; ///< whom alerts were told to
	Buckets reached_hash;      ///< by alert
	DutyText duty;
	DutyText watcher_rules;                     ///< watcher.hpp
	std::atomic<std::uint64_t> watcher_version; ///< of these; changes with every change
	DutyText policy;                            ///< policy.hpp
	std::atomic<std::uint64_t> policy_version;  ///< of it, likewise
	FilterTable filters;                        ///< of subscriptions
	Table<HeldRec> held;
	std::uint32_t held_count = 0;
	Buckets type_hash;
	Buckets device_hash;
	Buckets patient_hash;
	Buckets feed_hash;
	Buckets collector_hash;
	Buckets sub_feed_hash;
	Buckets sub_dialog_hash;
	Buckets sub_user_hash;
	Buckets code_hash; ///< alerts that are not closed, by their code
	Buckets kept_hash; ///< cleared ones, by device, metric and condition
	Buckets credential_hash;
	Index open_head = 0; ///< open alerts, newest first
	std::uint32_t open_count = 0;
	std::uint32_t opened = 0; ///< how often an alert was put into that list
	EndedList ended[2];       ///< by whether the database knows that they were raised
	std::uint32_t ended_count = 0;
	EndedList kept; ///< cleared, not closed: may come back; guarded by the book lock alone
	std::uint32_t kept_count = 0;
	std::atomic<bool> changes_missed; ///< the journal had no room for a change of an alert
	std::uint32_t sub_count = 0;
	std::atomic<TimeUs> tend_at; ///< monotonic: an alert has something due then; see tend.hpp
	Settings settings;
	Windows windows;
	StormRec storms[max_storms + 1]; ///< by number, from 1
	WatcherLog watchers;

	ByteRing journal;      ///< batches of readings
	SlotRing alert_events; ///< every change of every alert
	SlotRing deliveries;   ///< which alert reached which terminal
	SlotRing window_log;   ///< maintenance windows set by kamcmd
	RowsWaiting rows;
	SlotRing escalations; ///< steps begun
	SlotRing tasks;       ///< messages and calls to be sent
	Waker task_waker;
	bool tasks_taken;               ///< by a module that sends them; set before the fork
	std::atomic<bool> tasks_missed; ///< some found no room: everybody is to be looked at
	bool assigned_only;             ///< collectors report only devices that belong to them
	Waker escalation_waker;
	std::atomic<bool> escalation_changed; ///< alerts were rejected, or what let them rest is over
	Waker writer_waker;
	WriterState writer;
	Notifier notifier[max_notifiers];
	std::atomic<std::uint64_t> counters[counter_count];
	std::atomic<TimeUs> complained[counter_count]; ///< monotonic time of the last message
	std::atomic<std::uint64_t> database_up;
	std::int64_t started_at; ///< wall clock, microseconds
	bool loaded;             ///< the first load is done: what is new may have old subscriptions
};

/// Allocates and touches everything.  nullptr when shared memory does not suffice: `needed` says
/// how many bytes it would take.
[[nodiscard]] Store *create_store(const Limits &limits, std::size_t &needed) noexcept;

/// Gives the memory back, when nobody uses the store any more.
void release_store() noexcept;

/// Makes all locks free.  For the last process: children are ended wherever they are, also within a
/// lock.
void free_locks() noexcept;

/// The one store of this Kamailio; nullptr before create_store().
[[nodiscard]] Store *store() noexcept;

inline void count(Counter counter, std::uint64_t by = 1) noexcept
{
	store()->counters[counter].fetch_add(by, std::memory_order_relaxed);
}

/// Counts what found no room and says so in the log, at most every 10 s for each counter.
void complain(Counter counter, std::string_view what) noexcept;

/// FNV-1a; the hash of every name in the store.
[[nodiscard]] std::uint64_t hash_name(std::string_view name) noexcept;

/// Copies at most size-1 bytes and ends with a zero.
void copy_text(char *to, std::size_t size, std::string_view from) noexcept;

[[nodiscard]] TimeUs wall_now() noexcept; ///< CLOCK_REALTIME
[[nodiscard]] TimeUs mono_now() noexcept; ///< CLOCK_MONOTONIC

/// The same moment by the other clock, as the clocks stand now; 0 stays 0.
[[nodiscard]] TimeUs monotonic_of(TimeUs wall) noexcept;
[[nodiscard]] TimeUs wall_of(TimeUs monotonic) noexcept;

} // namespace bmd
