/// @file feed_state.hpp  What a terminal knows of one feed, and what a document changes in it.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no SIP, no clock, no output.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bmd/alert.hpp"
#include "bmd/dmp_feed.hpp"

namespace bmd::watch {

enum class ChangeKind : std::uint8_t
{
	raised,  ///< not known before
	changed, ///< known, with a higher revision now
	cleared  ///< over, or no longer among the open ones
};

struct Change
{
	ChangeKind kind = ChangeKind::raised;
	AlertView alert;                 ///< as it is now; a cleared one may be as it was last
	std::optional<AlertView> before; ///< of a changed one
};

enum class Verdict : std::uint8_t
{
	taken, ///< it was the one that had to come
	gap,   ///< documents are missing: ask for a full one.  What this one says is taken
	old    ///< version not above the last one: nothing of it is taken
};

[[nodiscard]] std::string_view to_string(Verdict) noexcept;

/// What one document did.
struct Outcome
{
	Verdict verdict = Verdict::taken;
	std::optional<std::uint32_t> last; ///< version before it
	std::vector<Change> changes;
};

/// Most urgent first, then the oldest.
void sort_by_urgency(std::vector<AlertView> &alerts);

/// The open alerts of one feed.
class FeedState
{
public:
	/// Full replaces, partial merges.  A full document may jump ahead in versions: it is complete.
	/// A full document with `more` is followed by the rest; alerts that were open before are held
	/// until the rest has come, and only then cleared when it did not name them.
	[[nodiscard]] Outcome take(const dmp::Feed &feed);

	/// A new subscription begins: its first document may have any version and must be full.  The
	/// open alerts stay until then.
	void restart() noexcept;

	/// Open alerts, what is suppressed last, most urgent first, then the oldest.
	[[nodiscard]] std::vector<AlertView> open() const;
	[[nodiscard]] std::optional<std::uint32_t> version() const noexcept { return version_; }

private:
	void merge(const AlertView &alert, std::vector<Change> &changes);
	void drop_unconfirmed(std::vector<Change> &changes);

	std::map<std::string, AlertView> alerts_; // by id
	std::set<std::string> unconfirmed_;       // open before a full document, not named since
	std::uint32_t following_ = 0;             // alerts the full document says are still to come
	std::optional<std::uint32_t> version_;
};

} // namespace bmd::watch
