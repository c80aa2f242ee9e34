/// @file teller.hpp  One notifier process: what it takes, and whom it tells.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "documents.hpp"
#include "notifier.hpp"
#include "permits.hpp"
#include "subs.hpp"

namespace bmd {

/// A feed and one of the alerts of a round that it tells of.
struct Concern
{
	std::string feed;
	std::size_t alert;
	std::size_t oldest = 0; ///< of the alerts that this feed is told of in this round

	// clang-tidy takes the 0 that the compiler itself compares with for a null pointer
	auto operator<=>(const Concern &) const = default; // NOLINT(modernize-use-nullptr): none here
};

/// What one round has to say.
struct Work
{
	std::vector<AlertRec> alerts;  // each once, in its last state
	std::vector<bool> begins;      // of each: its first change here is that it began
	std::set<std::size_t> widely;  // of these: concern all feeds that show them
	std::vector<Concern> concerns; // each once, by feed, first the feed with the oldest alert
	std::set<std::string> feeds;   // to be told everything
	std::vector<SubRef> subs;      // to be told everything

	bool any = false; // something was taken from the ring
};

/// What is written for the changes of a round; feeds with the same changes share the documents.
class Round
{
public:
	explicit Round(const Work &work) : work_(work), seen_(work.alerts.size()) {}

	PartialDocuments &documents_of(const std::vector<std::size_t> &which);
	const SeenChange &seen(std::size_t i);
	[[nodiscard]] bool value_only(std::size_t i) const noexcept
	{
		return work_.alerts[i].value_only;
	}
	/// Does any of these chatter?
	[[nodiscard]] bool chatters(const std::vector<std::size_t> &which) const noexcept;
	/// Time has passed: what is told is what is.
	void forget();

	bool sifts = false; ///< something may be held back

private:
	const Work &work_;
	std::map<std::vector<std::size_t>, PartialDocuments> documents_;
	std::vector<std::optional<SeenChange>> seen_;
};

/// A change is taken into the work of a round.
void add_change(Work &work, const FeedChange &change);

/// What a subscription is told of changes.
enum class Look
{
	nothing, ///< it has been told that there is nothing for it
	all,
	some ///< as policies say, alert by alert
};
[[nodiscard]] Look look_of(const SubTarget &target, std::string_view feed);
[[nodiscard]] Verdict verdict_now(const SubTarget &target, std::string_view feed);
/// Why a subscription is shown nothing, to those who answer for the feed.
[[nodiscard]] WatcherEvent shut_out_by(std::string_view feed);

/// One notifier process.
class Teller
{
public:
	Teller(std::size_t slot, const SendDocument &send, Holding &holding)
		: slot_(slot), notifier_(store()->notifier[slot]), send_(send), holding_(holding)
	{
	}

	bool tell_urgent();
	bool tell_normal();
	bool tell_everything();
	bool tell_held();
	/// Subscriptions for which a policy has changed, or for which its hours have.
	void tell_policy();
	/// Subscriptions to watcher information of which something is due; true: more is.
	bool tell_watchers();

private:
	Work take(SlotRing &ring);
	void add_feeds_of(Work &work, std::size_t alert);
	void tell(const Work &work);
	void tell_changes(const Work &work);
	void tell_target(const SubTarget &target, const std::string &feed,
			const std::vector<std::size_t> &which, Look look, Round &round);
	void tell_one(const SubTarget &target, const std::string &feed,
			const std::vector<std::size_t> &which, Round &round);
	void tell_some(const SubTarget &target, const std::string &feed,
			const std::vector<std::size_t> &which, Round &round);
	bool tell_number(const std::string &feed, const SubTarget &target);
	void send_now(const SubTarget &target, const std::string &feed,
			const std::vector<std::size_t> &which, Round &round);
	void send_held(std::vector<AlertRec> news, const std::string &feed, const SubTarget &target);
	void follow(const Permits &before, const Permits &after, const std::string &feed,
			const SubTarget &target);
	void follow_winfo(const Permits &before, const Permits &after, const std::string &key,
			const SubTarget &target);
	void send_winfo(const std::string &key, const SubTarget &target, std::uint64_t after);
	DurationUs tell_watchers_to(std::uint64_t dialog);
	static void answer_waiting(const Permits &permits);
	void tell_feed(const std::string &feed);
	void send_full(const std::string &feed, const SubTarget &target);
	void send_full_within(const std::string &feed, const SubTarget &target);
	void send_last(const std::string &feed, const SubTarget &target, NotifyState state);
	void send_pages(
			const std::vector<Page> &pages, const std::string &feed, const SubTarget &target);
	void send_partial(
			const std::vector<Page> &pages, const std::string &feed, const SubTarget &target);
	bool interrupted();

	std::size_t slot_;
	Notifier &notifier_;
	const SendDocument &send_;
	Holding &holding_;
	std::size_t sends_ = 0;
	int urgent_ = 0;    // rounds of what is urgent, one within the other
	bool wide_ = false; // the innermost of them concerns many terminals
};

/// Of these changes those that fit the subscription's filter.
[[nodiscard]] std::vector<std::size_t> fitting_of(const SubTarget &target, std::string_view feed,
		const std::vector<std::size_t> &which, Look look, Round &round);

} // namespace bmd
