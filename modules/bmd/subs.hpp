/// @file subs.hpp  Who is subscribed to what: the live subscriptions to feeds.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The dialogs are presence's.  Each is a resource of its own there (FEED~DIALOG), so what goes
/// wrong with one terminal touches no other one, and the cost of a NOTIFY does not grow with the
/// watchers of the feed.  This table says which resources a feed has.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store.hpp"

namespace bmd {

/// Identifies a dialog from its first SUBSCRIBE on: its Call-ID and the subscriber's tag.  Never 0.
[[nodiscard]] std::uint64_t dialog_of(std::string_view call_id, std::string_view tag) noexcept;

/// User part of the dialog's resource.
[[nodiscard]] std::string resource_of(std::string_view feed, std::uint64_t dialog);

/// What resource_of() joined.  dialog is 0 when `user` is no such resource.
struct Resource
{
	std::string_view feed;
	std::uint64_t dialog = 0;
};
[[nodiscard]] Resource parse_resource(std::string_view user) noexcept;

struct SubTarget
{
	SubRef ref;
	std::uint64_t dialog;
	TimeUs full_at; ///< wall clock: when its full state was written last; 0: never
	char user[name_size];
	bool answers;         ///< its terminal took the last NOTIFY
	bool pending;         ///< it waits for approval
	std::uint32_t filter; ///< number of its filter; 0: it has none
	TimeUs ends;          ///< monotonic: its time is over then, though the record stays for a while
};

enum class Admission
{
	done,
	known,            ///< it is there already
	taken,            ///< the dialog is another feed's or somebody else's
	unknown,          ///< no such dialog
	full,             ///< no room for one more, counted
	too_many,         ///< the person has as many as a person may have
	too_many_to_feed, ///< as many to this feed
	too_many_pending  ///< as many that wait for approval
};

/// How many subscriptions a person may have; 0: any number.
struct Places
{
	std::size_t all = 0;
	std::size_t to_feed = 0;
	std::size_t pending = 0; ///< looked at when the new one waits for approval
};

/// Enters a subscription, unless its person has as many already.  One that has run out, and that
/// nothing is answered in, gives its place; two at once do not get the same one.  `expires` is
/// monotonic; `pending`: it waits for approval.
[[nodiscard]] Admission put_sub(std::uint64_t dialog, std::string_view feed, std::string_view user,
		TimeUs expires, SubRef &ref, bool pending = false, const Places &places = {}) noexcept;

/// Something in it is being answered from now on, or its end is sent: it keeps its place.  False
/// when it has gone.  Within the dialog's lock, until it is prolonged, ends or is let go.
bool take_in_hand(SubRef ref) noexcept;
void let_go(SubRef ref) noexcept;
/// Waits for what is being answered in dialogs of this person now.  Within no dialog's lock.
void await_answers(std::string_view user);

struct PendingSub
{
	std::string user;
	std::string feed;
	TimeUs since; ///< wall clock
};
/// All that wait for approval, those that wait the longest first.
[[nodiscard]] std::vector<PendingSub> pending_subs();

/// Changes the end of one that is there; nothing when it has gone.
void prolong_sub(SubRef ref, TimeUs expires) noexcept;

/// Ends it for this reason; nothing when it has gone.
void end_sub(SubRef ref, WatcherEvent why = WatcherEvent::timeout) noexcept;

/// The record, or nullptr when it has gone; the first one in the chain of a feed.  Within the lock.
[[nodiscard]] SubRec *live_sub(SubRef ref) noexcept;
[[nodiscard]] Index first_sub_of(std::string_view feed) noexcept;
[[nodiscard]] Index first_sub_of_user(std::string_view user) noexcept;
/// Is there a place for one more of this person?  done, or why not: `over` is one whose end would
/// make it then (0: there is none).  Within the lock.
[[nodiscard]] Admission place_for(std::string_view feed, std::string_view user, bool pending,
		const Places &places, Index &over) noexcept;
/// Takes a live one away.  Within the lock.
void drop_sub(SubRef ref, WatcherEvent why) noexcept;

/// The subscriptions of a feed that notifier `slot` serves.
[[nodiscard]] std::vector<SubTarget> subs_of(std::string_view feed, std::size_t slot);

/// False when the feed has none; takes no lock.  One that is entered meanwhile gets its full state
/// later than that.
[[nodiscard]] bool may_have_subs(std::string_view feed) noexcept;

/// Has this person one whose terminal took the last NOTIFY, and which shows what is urgent?
[[nodiscard]] bool has_answering_sub(std::string_view feed, std::string_view user) noexcept;

/// Feeds with subscriptions that notifier `slot` serves, each once.
[[nodiscard]] std::vector<std::string> feeds_with_subs(std::size_t slot);

/// The feed of a subscription, which `target` becomes; nullopt when it has ended.
[[nodiscard]] std::optional<std::string> find_sub(SubRef ref, SubTarget &target);
/// The same by its dialog.
[[nodiscard]] std::optional<std::string> find_dialog(std::uint64_t dialog, SubTarget &target);

/// Its full state has been written, from what stands in the book before now: it waits for nobody
/// any more.  `counted`: the number of alerts in it that are only counted; absent: none are.
/// `shut_out`: nothing is shown, for this reason.  Within the dialog's lock.
void note_full_state(SubRef ref, std::optional<std::uint32_t> counted = std::nullopt,
		std::optional<WatcherEvent> shut_out = std::nullopt) noexcept;

/// The number in the last full state; absent: there was none.  Within the dialog's lock.
[[nodiscard]] std::optional<std::uint32_t> counted_for(SubRef ref) noexcept;

/// Gives it another filter (0: none), with the reference to it; returns the old one, whose
/// reference is the caller's then.  Of one that has gone it is the new one.  Within the dialog's
/// lock.
[[nodiscard]] std::uint32_t exchange_filter(SubRef ref, std::uint32_t filter) noexcept;
/// Number of its filter now; takes no lock.
[[nodiscard]] std::uint32_t filter_in_force(SubRef ref) noexcept;

struct FilteredSub
{
	SubRef ref;
	std::uint64_t dialog;
	std::uint32_t filter;
	TimeUs full_at; ///< as in SubTarget
};
[[nodiscard]] std::vector<FilteredSub> filtered_subs();

/// Which notifier serves a dialog: always the same, so the order within the dialog holds.
[[nodiscard]] std::size_t notifier_of(std::uint64_t dialog) noexcept;

/// Serialises what is sent within a dialog: held while its SUBSCRIBE is answered, too.
[[nodiscard]] Mutex &dialog_mutex(std::uint64_t dialog) noexcept;

/// A NOTIFY is on its way, or will never be answered since it has gone without one.
void notify_sent(SubRef ref) noexcept;
void notify_gone(SubRef ref) noexcept;

/// A terminal that has said nothing for `patience` to what it was sent gets a NOTIFY with changes
/// every `between` at most, however much changes; false: not now.  What was left out is owed:
/// full state when it answers, or when it is tried again.  So a terminal that is gone costs no more
/// than that.
inline constexpr DurationUs patience = 2 * second_us;
inline constexpr DurationUs between = second_us;
[[nodiscard]] bool may_notify(SubRef ref) noexcept;

/// A terminal answered a NOTIFY, or did not (408 and every other final answer).  404 and 481 end
/// the subscription, as presence does; otherwise it gets its full state in `retry_first`, then
/// after twice that and so on up to `retry_last`, until it answers.
inline constexpr DurationUs retry_first = 10 * second_us;
inline constexpr DurationUs retry_last = 80 * second_us;
/// `code` of a NOTIFY that this server could not even send, for want of memory mostly: sooner.
inline constexpr int not_sent = 999;
inline constexpr DurationUs retry_not_sent = second_us / 2;
/// `was_sent`: notify_sent() said so.
void notify_answered(SubRef ref, int code, bool was_sent) noexcept;

/// Queues full states that are due and drops subscriptions that have expired.  For the timer.
void look_after_subs() noexcept;

/// A dialog's row in the database is to say this: `hash` is of all but the counters that grow with
/// every NOTIFY, `cseq` is one of these.  False when the row there is good enough: only counters
/// have grown, by less than the step they are raised by at every start.
[[nodiscard]] bool row_is_news(
		std::uint64_t dialog, std::uint64_t hash, std::uint32_t cseq) noexcept;
inline constexpr std::uint32_t counters_step = 100'000;

/// It is on its way there.
void note_row(std::uint64_t dialog, std::uint64_t hash, std::uint32_t cseq) noexcept;

} // namespace bmd
