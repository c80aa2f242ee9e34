/// @file watcher.hpp  Rules of watchers: which changes of alerts may wait before they are told.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: times are passed in.  Full documents, and what has ever been of high priority, are beyond
/// all rules.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/alert.hpp"
#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd {

/// Whose a rule is; a smaller one comes first.
enum class WatcherScope : std::uint8_t
{
	person = 1, ///< one technician, whatever feed that person watches
	team = 2,   ///< each member of a team
	feed = 3    ///< whoever watches the feed of a group
};

/// Empty and absent conditions do not matter.  Without persistence, rate and digest it tells
/// everything at once.
struct WatcherRule
{
	std::int32_t id = 0;
	WatcherScope scope = WatcherScope::person;
	std::string who;  ///< user name; of a feed "grp." and the group's name
	std::string team; ///< of scope team: through which one
	std::string device_type;
	std::string group; ///< of the device
	std::string metric;
	std::optional<AlertKind> kind;
	std::optional<Priority> priority;  ///< medium or low
	DurationUs persistence = 0;        ///< told when it has lasted so long; 0: at once
	std::uint32_t most_per_minute = 0; ///< NOTIFYs to one subscription in any 60 s; 0: any number
	DurationUs digest_every = 0;       ///< told together, so long after the first; 0: one by one
	bool digest_medium = false;        ///< the digest takes medium priority as well as low
};

/// What rules ask of an alert.
struct WatcherSubject
{
	Priority priority = Priority::high;
	AlertKind kind = AlertKind::physiological;
	std::string device_type;
	std::vector<std::string> groups; ///< of its device
	std::string_view metric;
};

/// All rules of a hospital.
class WatcherRules
{
public:
	WatcherRules() = default;
	/// One for each person that a rule of a team is for.
	explicit WatcherRules(std::vector<WatcherRule> rules);

	[[nodiscard]] bool empty() const noexcept { return rules_.empty(); }
	[[nodiscard]] const std::vector<WatcherRule> &all() const noexcept { return rules_; }
	/// Is there any for this watcher on this feed?
	[[nodiscard]] bool any(std::string_view user, std::string_view feed) const;
	/// The most specific one that fits, nullptr: none.  A person's own before the team's before the
	/// feed's; then the one that names a metric, a group, a type, a kind, a priority, in this
	/// order; of equals the one with the lowest id.
	[[nodiscard]] const WatcherRule *find(
			std::string_view user, std::string_view feed, const WatcherSubject &subject) const;

private:
	using Places = std::vector<std::size_t>; ///< into rules_, the most specific first
	[[nodiscard]] const WatcherRule *find(const std::map<std::string, Places, std::less<>> &among,
			std::string_view name, const WatcherSubject &subject) const;
	std::vector<WatcherRule> rules_;
	std::map<std::string, Places, std::less<>> people_;
	std::map<std::string, Places, std::less<>> feeds_;
};

/// Lines of fields with tabs between them; no name may hold control characters.
[[nodiscard]] std::string write_watcher_rules(const std::vector<WatcherRule> &rules);
/// Errors: malformed, with the number of the line.
[[nodiscard]] Result<WatcherRules> read_watcher_rules(std::string_view text);

/// For people: "rule 3 of team night (metric SpO2, low priority): ...".
[[nodiscard]] std::string in_words(const WatcherRule &rule);
/// "90 s", "5 min", "2 h".
[[nodiscard]] std::string in_words(DurationUs duration);

/// How an alert stands for one subscription when a change of it is to be told.  Times of this and
/// what follows are of one clock, which is the caller's.
struct WatchedAlert
{
	Priority priority = Priority::high;
	bool was_high = false;   ///< it has been
	bool escalated = false;  ///< somebody else is, or was, called for it
	bool open = true;        ///< active or latched
	bool unknown = false;    ///< surely nothing was told to this subscription since it began
	TimeUs began = 0;        ///< last raised, or back again
	DurationUs chatters = 0; ///< it chatters: over only when it has been so for so long; 0: no
	bool is_back = false;    ///< this is all that is new
};

/// What a rule has done to a subscription so far.
struct WatchedPast
{
	TimeUs held_since = 0;          ///< something of this alert is held since; 0: nothing is
	TimeUs digest_since = 0;        ///< the first change that waits for its digest; 0: none does
	std::span<const TimeUs> told{}; ///< when it was told under this rule, oldest first
};

enum class HoldReason : std::uint8_t
{
	none = 0, ///< told now
	persistence = 1,
	rate = 2,
	digest = 3,
	chattering = 4
};
[[nodiscard]] std::string_view to_string(HoldReason) noexcept;

struct Hold
{
	HoldReason why = HoldReason::none;
	TimeUs until = 0;    ///< of one that is held: to be judged again then
	TimeUs lasts_at = 0; ///< when it has lasted; 0: its end is told as well
	bool never = false;  ///< it ended before it had lasted: nothing is told
	bool counts = false; ///< told now, it counts for the rate
};

/// May this change wait?  High priority, what was of high priority and what has been escalated
/// never does.  Without any rule only what chatters may: its end, until it has been quiet, and that
/// it is back before its end was told.
[[nodiscard]] Hold hold_back(const WatcherRule *rule, const WatchedAlert &alert,
		const WatchedPast &past, TimeUs now) noexcept;

inline constexpr DurationUs rate_window = 60 * second_us;

} // namespace bmd
