/// @file escalate.hpp  Carries alerts on to the next people until somebody has taken them.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// One process does it.  A step is in the database before anybody learns of it, unless that takes
/// more than 300 ms: so a server that is killed begins no step twice and forgets none.

#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "escalation_journal.hpp"
#include "escalation_wanted.hpp"
#include "pg.hpp"
#include "whom.hpp"

namespace bmd {

/// At the start, after the alerts that are not closed: which steps have begun, and whom they
/// reached.
[[nodiscard]] Result<bool> load_escalations(Pg &pg);

class Escalator
{
public:
	/// One round of at most `milliseconds`.  Never throws; what goes wrong is logged and tried
	/// again.
	void round(int milliseconds) noexcept;

private:
	/// A step that begins.
	struct Step
	{
		EscalationPolicy policy;
		std::uint32_t number = 0; ///< from 0
		std::size_t index = 0;    ///< of policy.steps; a repetition may be one of an earlier step
		Reached reached;          ///< its feeds are all known here
		TimeUs until = 0;         ///< monotonic: then it is made known whatever the database says
		std::uint64_t row = 0;    ///< position in the ring behind its row
		[[nodiscard]] const EscalationStep &what() const { return policy.steps[index]; }
		/// The people of the first step have been told by the alert itself.
		[[nodiscard]] bool known() const { return number == 0 && what().whom == Whom::responsible; }
	};
	/// An alert that is looked after.
	struct Tracked
	{
		Uuid alert;
		Priority priority;
		bool rests = false;      ///< no step begins
		bool suppressed = false; ///< at some time while it rested: nobody was called then
	};
	void find_new();
	void find_kept();
	void track(Index slot, const AlertRec &alert);
	void look_again();
	void look_at(Index slot, bool anew);
	[[nodiscard]] bool take_up(Index slot);
	void begin_due(TimeUs now);
	void begin(Index slot);
	/// Who the step is for; false when the alert is over.
	[[nodiscard]] bool prepare(Index slot, Step &step) const;
	void nobody(Index slot, const Step &step);
	void start(Index slot, Step step, TimeUs due);
	void hand_in(Index slot, const Step &step, TimeUs due) const;
	void make_known_what_is_stored(TimeUs now);
	void make_known(Index slot, const Step &step) const;
	void ask_for_messages(const AlertRec &alert, const Step &step) const;
	void arm(Index slot, TimeUs due);
	void over(Index slot);
	void forget_ended(TimeUs now);
	[[nodiscard]] TimeUs next_due(Index slot) const;

	std::map<Index, Tracked> tracked_;
	std::set<std::pair<TimeUs, Index>> due_; ///< monotonic
	std::map<Index, Step> beginning_;        ///< wait for the database
	std::deque<std::pair<TimeUs, Uuid>> ended_;
	std::uint64_t duty_ = 0; ///< version of rosters and policies last looked at
	TimeUs looked_ = 0;      ///< monotonic: last look at everything
	std::uint32_t seen_ = 0; ///< Store::opened of the newest alert that was found
	bool started_ = false;
};

} // namespace bmd
