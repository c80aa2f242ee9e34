/// @file holding.hpp  What a notifier holds back, by the rules of watchers, and until when.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// One for each notifier process; what kamcmd shows of it stands in held.hpp.  Sends nothing
/// itself.  A full document makes all of it void: it tells everything.  A restart loses it, and
/// every subscription gets its full state then.

#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "bmd/policy.hpp"
#include "bmd/watcher.hpp"
#include "subs.hpp"

namespace bmd {

/// A change as a round of a notifier sees it.
struct SeenChange
{
	std::optional<AlertRec> state; ///< what is to be told of it now; absent: nothing
	bool begins = false;           ///< nothing of the alert was told before, since it began
	WatcherSubject subject;
};

/// Looks at a change: its present state and what rules ask of its device.
[[nodiscard]] SeenChange see_change(const AlertRec &change, bool begins);

/// Of the changes of a round those that one subscription is told now.
struct Sifted
{
	std::vector<std::size_t> now; ///< places among those that were given
	bool full = false;            ///< one more found no room: all that is held is to be told now
};

/// Of policies: what a notifier has told of last.
struct PolicySeen
{
	std::shared_ptr<const Policy> policy; ///< nullptr: none yet
	TimeUs at = 0;                        ///< wall clock
	TimeUs until = 0;                     ///< wall clock: then its hours change; 0: they do not
};

/// Of watchers: what a notifier has told of last.
struct WinfoSeen
{
	std::uint64_t change = 0;            ///< number of the last one it knows of
	TimeUs look_at = 0;                  ///< monotonic: not sooner again
	std::map<std::uint64_t, TimeUs> due; ///< dialogs to be told, and when
};

class Holding
{
public:
	PolicySeen policy;
	WinfoSeen winfo;

	/// Takes over the rules in force; when they have changed, all that is held is judged again.
	void follow_rules();

	/// Nothing is to be done for any subscription.
	[[nodiscard]] bool idle() const noexcept { return queues_.empty() && rules_->empty(); }
	/// May changes be held back from this one, or is something held?
	[[nodiscard]] bool concerns(const SubTarget &target, std::string_view feed) const;

	/// Holds back what may wait and drops what need never be told.  Within the dialog's lock; the
	/// caller sends what is told now in one NOTIFY.
	[[nodiscard]] Sifted sift(const SubTarget &target, std::string_view feed,
			const std::vector<const SeenChange *> &changes);

	/// Dialogs of which something is due.
	[[nodiscard]] std::vector<std::uint64_t> due(TimeUs now) const;
	/// What is due of one subscription, to be sent in one NOTIFY.  Within the dialog's lock.
	[[nodiscard]] std::vector<AlertRec> take_due(const SubTarget &target, std::string_view feed);
	/// All of it, whatever the rules say.
	[[nodiscard]] std::vector<AlertRec> take_all(std::uint64_t dialog);
	/// The subscription has ended, or its full state is told.
	void forget(std::uint64_t dialog);

	/// Milliseconds until something is due, at most `most`.
	[[nodiscard]] int patience(int most) const noexcept;
	/// Once in a while: forgets subscriptions that have ended.
	void sweep();

private:
	struct Entry
	{
		Index slot; ///< in the table of what is held
		std::int32_t rule;
		HoldReason why;
		TimeUs since; ///< monotonic, as what follows
		TimeUs until;
		TimeUs lasts_at;
		TimeUs began_at;
		std::uint32_t began; ///< of the alert, as what follows
		std::uint32_t revision;
	};
	/// What one subscription waits for.
	struct Queue
	{
		SubRef ref;
		TimeUs full_at = 0; ///< of the full state before all that is held here
		TimeUs due = 0;     ///< as it stands in dues_
		std::map<Uuid, Entry> held;
		std::map<std::int32_t, std::deque<TimeUs>> told; ///< by rule, within the last minute
	};

	Queue &queue_of(const SubTarget &target);
	[[nodiscard]] static TimeUs began_at(
			const AlertRec &alert, const Entry *entry, TimeUs now) noexcept;
	[[nodiscard]] static WatchedAlert watched(
			const Queue &queue, const SeenChange &change, const Entry *entry, TimeUs now) noexcept;
	[[nodiscard]] Hold judge(Queue &queue, const WatcherRule *rule, const SeenChange &change,
			const Entry *entry, TimeUs now) const;
	bool keep(std::uint64_t dialog, Queue &queue, const AlertRec &alert, const WatcherRule *rule,
			const Hold &hold, TimeUs now);
	void drop(Queue &queue, const Uuid &alert);
	void drop_all(Queue &queue);
	void settle(std::uint64_t dialog, Queue &queue);
	std::vector<Uuid> judge_due(std::uint64_t dialog, Queue &queue, const SubTarget &target,
			std::string_view feed, std::vector<AlertRec> &news);

	std::shared_ptr<const WatcherRules> rules_ = std::make_shared<WatcherRules>();
	std::unordered_map<std::uint64_t, Queue> queues_; ///< by dialog
	std::set<std::pair<TimeUs, std::uint64_t>> dues_;
	TimeUs swept_ = 0;
};

} // namespace bmd
