/// @file evaluate.hpp  What one reading does to the alerts of its device.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Callers hold the registry lock (shared) and the device's stripe.

#pragma once

#include <vector>

#include "book.hpp"
#include "store.hpp"

namespace bmd {

/// When a reading was taken and when it came.
struct Moment
{
	TimeUs measured; ///< as told; stored
	TimeUs judged;   ///< as used for delays: never later than `arrived`
	TimeUs arrived;
};

/// The device has been heard: ends its stale alert.  True: it had one, and what it inhibits is to
/// be told with match_suppression(), after the readings that came have been judged.
[[nodiscard]] bool device_heard(Index device, TimeUs arrived) noexcept;

/// What is remembered of a metric of a device; nullptr when there is no room for one more, counted.
[[nodiscard]] MetricRec *metric_of(Index device, MetricId metric) noexcept;

/// What a reading did to what waits for its delay.
struct Waits
{
	Wait limits = Wait::as_before;
	Wait validity = Wait::as_before;
};

/// Takes one well-formed reading.
Waits take_reading(Index device, const Reading &reading, const Moment &moment) noexcept;

/// The same of a reading that was judged before and is stored only now.
[[nodiscard]] Waits waits_of_judged(Index device, MetricId metric, const Moment &moment) noexcept;

/// Puts back what waited when the server was stopped, if its rule still has a delay.
void adopt_wait(Index device, MetricId metric, Breach breach, TimeUs since) noexcept;

/// Does a condition of this metric wait for its delay?
[[nodiscard]] bool waits(const MetricRec &metric) noexcept;

/// Limits may have changed: judges the last value of each metric again, as of its own time.
void judge_again(Index device) noexcept;

/// Adds the devices of `from`..`to` that have been silent too long and have no alert for it.  Needs
/// no stripe.
void find_silent(Index from, Index to, std::vector<Index> &found);

/// Raises the stale alert of a device, if it is silent still and has none.  Takes the device's
/// stripe itself.
void raise_stale(Index device) noexcept;

/// Has an enabled device that has reported before been quiet for longer than its type allows?
/// `now` is monotonic.
[[nodiscard]] bool silent(Index device, TimeUs now) noexcept;

/// Puts a restored alert where evaluation looks for it.
void adopt_alert(Index alert) noexcept;

/// Ends restored alerts of a metric that no rule in force limits any more; for one that has not
/// come since the start, and may never.
void end_unruled(Index device, MetricRec &metric) noexcept;

/// The alert closes while its metrics still refer to it: what holds is raised again by the next
/// reading.
void forget_slot(Index device, Index alert) noexcept;

} // namespace bmd
