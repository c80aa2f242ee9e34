/// @file documents.hpp  The DMP documents of a feed.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Takes the registry lock and device stripes itself; no SIP here.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "delivery.hpp"
#include "store.hpp"
#include "telling.hpp"

namespace bmd {

/// A document ends at either, so that a NOTIFY stays well below the 64 KiB of a UDP datagram.
inline constexpr std::size_t alerts_per_document = 48;
inline constexpr std::size_t bytes_per_document = 48'000;

/// "sip:USER@DOMAIN"; the domain is the module's parameter.
void set_feed_domain(std::string_view domain);
[[nodiscard]] const std::string &feed_domain() noexcept;
[[nodiscard]] std::string feed_uri(std::string_view user);

/// A document and what it tells of.
struct Page
{
	std::string text;
	std::vector<AlertMark> alerts;
	std::optional<std::uint32_t> counted = {}; ///< in full state: as Telling's; in its first page
};

/// Open alerts of a feed, most urgent first.  Caller holds the registry lock.
[[nodiscard]] std::vector<AlertRec> feed_alerts(std::string_view feed);

/// All open alerts of a feed, most urgent first, in as many documents as it takes: the first is
/// `full` and says how many alerts follow, the others are partial.  Never empty.
/// An unknown feed has no alerts.  `user`: who is shown them, and who may watch the feed.
/// `filter`: number of the subscription's; 0: none.
[[nodiscard]] std::vector<Page> full_documents(
		std::string_view feed, std::string_view user, std::uint32_t filter = 0);

/// What a subscription is sent as its full state, as it stands: without alerts unless it is active.
[[nodiscard]] std::vector<Page> pages_for(const Verdict &verdict, std::string_view feed,
		std::string_view user, std::uint32_t filter = 0);

/// The open alerts that this person may answer (see may_answer()), as they are, those first that
/// nobody has taken, then the most urgent, then the oldest.  It looks at the person's devices and
/// at what was escalated to that person and the person's groups, not at the whole book.  Caller
/// holds the registry lock.
[[nodiscard]] std::vector<AlertRec> open_alerts_for(std::string_view person);

/// What is to be told of a change now: the alert as it stands in the book, or as the change says
/// when that was its end.  nullopt: it has ended since, and that change is told by itself.  So news
/// that was overtaken on the way never follows newer one.
[[nodiscard]] std::optional<AlertRec> present_state(const AlertRec &change);

/// The same alerts as partial documents for one feed after the other: written once, then only the
/// name of the feed is changed; with a storm among them, which tells each feed of its own devices,
/// once for each feed.
class PartialDocuments
{
public:
	explicit PartialDocuments(std::vector<AlertRec> alerts);
	/// For one person.
	explicit PartialDocuments(Telling telling);

	[[nodiscard]] bool empty() const noexcept { return telling_.alerts.empty(); }
	/// Valid until the next call.
	[[nodiscard]] const std::vector<Page> &of(std::string_view feed);

private:
	Telling telling_;
	bool differ_;      ///< from feed to feed
	std::string feed_; ///< whose the pages are now
	std::vector<Page> pages_;
};

/// A full document without any alert; `filtered`: of a subscription with a filter; `counted`: of
/// somebody who is told how many there are.
[[nodiscard]] std::string empty_document(
		std::string_view feed, bool filtered = false, bool counted = false);

/// Somebody subscribes to it from now on.
void mark_watched(std::string_view feed) noexcept;

} // namespace bmd
