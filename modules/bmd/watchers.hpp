/// @file watchers.hpp  Who watches a feed, waits for it, or has just ceased to (RFC 3857).
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Every change has a number.  Whoever is told of watchers is told what has a greater number than
/// the last that was told; where that is not known any more, everything.  In memory only: who waits
/// without a live subscription is forgotten by a restart.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store.hpp"
#include "subs.hpp"

namespace bmd {

/// Subscriptions of one person that may wait for approval at once, live ones and those that have
/// timed out; of the latter the oldest gives way.
inline constexpr std::size_t pending_per_person = 16;
inline constexpr std::size_t waiting_per_person = 8;
inline constexpr DurationUs give_up_after = 72 * 3600 * second_us;
/// As long the end of a subscription is known.
inline constexpr DurationUs past_kept = 60 * second_us;

/// The feed under which subscriptions to the watcher information of a feed are kept: "!FEED".
/// Nothing else begins so.
inline constexpr char winfo_mark = '!';
[[nodiscard]] std::string winfo_key(std::string_view feed);
[[nodiscard]] bool is_winfo(std::string_view key) noexcept;
/// The feed of a key, and any other as it is.
[[nodiscard]] std::string_view winfo_feed(std::string_view key) noexcept;

struct WatcherNow
{
	std::uint64_t id;
	std::string feed;
	std::string user;
	TimeUs begun_at;
	WatcherStatus status;
	WatcherEvent event;
};

/// Number of the last change of any watcher.
[[nodiscard]] std::uint64_t last_watcher_change() noexcept;

/// Watchers of these feeds, sorted, that changed after this number, ends among them; 0: all that
/// are not over.
[[nodiscard]] std::vector<WatcherNow> watchers_of(
		const std::vector<std::string> &feeds, std::uint64_t after);

/// Those that wait without a live subscription.
[[nodiscard]] std::vector<WatcherNow> waiting_watchers();

/// A subscription was accepted, or is one of before the start.
void watcher_accepted(SubRef ref) noexcept;
void watcher_restored(SubRef ref) noexcept;
/// Somebody asked once and must be confirmed first.
void watcher_asked(std::string_view feed, std::string_view user) noexcept;
/// Somebody has decided of one that waits without a subscription.
void past_watcher_event(std::uint64_t id, WatcherEvent event) noexcept;
/// Who has waited for too long is given up, what is over forgotten.  For the timer.
void look_after_watchers() noexcept;

/// Subscriptions to watcher information: up to which change one has been told; `told` also that
/// something was.
[[nodiscard]] std::vector<std::uint64_t> winfo_dialogs(std::size_t slot);
[[nodiscard]] std::uint64_t told_up_to(SubRef ref) noexcept;
void note_winfo(SubRef ref, std::uint64_t change, bool told) noexcept;
/// Is what changed since that number still known?
[[nodiscard]] bool watchers_known_since(std::uint64_t change) noexcept;

/// For subs.cpp, which holds the lock: what becomes of a live subscription, and one that leaves the
/// table.
void note_watcher(SubRec &sub, WatcherEvent event) noexcept;
void note_shown(SubRec &sub) noexcept;
void note_gone(const SubRec &sub, WatcherEvent event) noexcept;

} // namespace bmd
