/// @file escalate.hpp  Carries alerts on to the next people until somebody has taken them.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// One process does it.  A step is in the database before anybody learns of it, unless that takes
/// more than 300 ms: so a server that is killed begins no step twice and forgets none.

#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "escalation_journal.hpp"
#include "escalation_wanted.hpp"
#include "pg.hpp"
#include "whom.hpp"

namespace bmd {

inline constexpr DurationUs step_patience = 300'000; ///< with the database: people come first
inline constexpr TimeUs retry_pause = second_us;     ///< until what failed is tried again

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
		bool spared = false;      ///< all whom it is for have rejected the alert
		bool anew = false;        ///< they are asked again all the same
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
		bool rests = false;             ///< no step begins
		bool suppressed = false;        ///< at some time while it rested: nobody was called then
		std::vector<std::string> asked; ///< feeds of the last step that began; empty: not known
	};
	struct Found
	{
		Index slot;
		Uuid alert;
		Priority priority;
	};
	struct Ended
	{
		TimeUs until; ///< monotonic: whom it was escalated to is kept
		Uuid alert;
		Index slot;
	};
	using Due = std::set<std::pair<TimeUs, Index>>; ///< monotonic

	void find_new();
	void find_kept();
	void find_missed();
	void track_all(std::vector<Found> found);
	void track(Index slot, const Uuid &id);
	void look_again();
	void look_at(Index slot, bool anew);
	void plan(Index slot, const AlertRec &alert, std::uint8_t wishes);
	[[nodiscard]] bool rejected_by_asked(Index slot, const AlertRec &alert,
			const EscalationPolicy &policy, const Duty &duty) const;
	[[nodiscard]] bool take_up(Index slot);
	/// The step that began last, as it would be now; false when nobody is escalated to now.
	[[nodiscard]] bool last_step(Index slot, Step &step) const;
	void call_again(Index slot);
	void sweep(TimeUs now);
	void begin_and_tell();
	void begin_due(TimeUs now);
	[[nodiscard]] std::optional<Index> most_urgent(TimeUs now) const;
	[[nodiscard]] bool writer_behind(TimeUs now);
	void begin(Index slot);
	/// Who the step is for; false when the alert is over.
	[[nodiscard]] bool prepare(Index slot, Step &step) const;
	void spare_rejecters(Index slot, Step &step) const;
	void nobody(Index slot, const Step &step);
	void start(Index slot, Step step, TimeUs due);
	[[nodiscard]] bool note_begun(
			Index slot, const EscalationProgress &next, bool unfinished) const;
	void hand_in(Index slot, const Step &step, TimeUs due, TimeUs base) const;
	void make_known_what_is_stored(TimeUs now);
	void make_known(Index slot, const Step &step);
	[[nodiscard]] std::array<Step, 2> show(Index slot, Index device, const Step &step) const;
	void ask_for_messages(const AlertRec &alert, const Step &step);
	void ask(const AlertRec &alert, const Step &step, std::string_view person, std::uint8_t how);
	void ask_unasked();
	void arm(Index slot, TimeUs due);
	void over(Index slot);
	void forget_ended(TimeUs now);

	std::map<Index, Tracked> tracked_;
	std::array<Due, 3> due_;          ///< by priority, high first
	std::map<Index, Step> beginning_; ///< wait for the database
	std::deque<Ended> ended_;
	std::deque<SendTask> unasked_; ///< calls that found no room
	std::uint64_t duty_ = 0;       ///< version of rosters and policies last looked at
	std::uint64_t people_ = 0; ///< changes of provisioning when alerts of nobody were last tried
	TimeUs looked_ = 0;        ///< monotonic: last look at everything
	TimeUs swept_ = 0;         ///< monotonic: last sweep
	std::uint32_t seen_ = 0;   ///< Store::opened of the newest alert that was found
	std::uint64_t stored_ = 0; ///< of the ring of steps, when it was last looked at
	TimeUs moved_ = 0;         ///< monotonic: when that last had room or moved
	bool more_ = false;        ///< steps are due that the last round left
	bool behind_ = false;      ///< since the writer is behind
	bool started_ = false;
};

/// How far the escalation of the alert in this slot has come, by the monotonic clock.
[[nodiscard]] EscalationProgress progress_of(Index slot) noexcept;
void set_progress(Index slot, const EscalationProgress &progress) noexcept;

/// A copy of the alert of a slot; false when it is not `alert` any more.  Takes the book lock.
[[nodiscard]] bool copy_alert(Index slot, const Uuid &alert, AlertRec &copy) noexcept;

/// Does the work.  What is thrown is counted and logged, not passed on: false.
template <class Work> bool attempt(Work work) noexcept;
void say_failure(const char *what) noexcept;

template <class Work> bool attempt(Work work) noexcept
{
	try {
		work();
		return true;
	} catch(const std::exception &failure) {
		say_failure(failure.what());
		return false;
	}
}

} // namespace bmd
