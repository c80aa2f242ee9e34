/// @file waiting.hpp  Conditions that wait for their delay: kept in the database over a restart.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Written in the transaction of the readings that begin or end a wait: what is durable and what
/// waits are of one moment, and what is not durable is judged again.

#pragma once

#include <map>
#include <tuple>

#include "journal.hpp"
#include "pg.hpp"

namespace bmd {

/// What one transaction changes.
class WaitingChanges
{
public:
	void clear() { changes_.clear(); }
	/// Takes what a reading of a batch says; nearly all say nothing.
	void add(const BatchRec &batch, const ReadingRec &reading)
	{
		if(reading.wait_limits != 0 || reading.wait_validity != 0)
			add_both(batch, reading);
	}
	/// Within the transaction.
	[[nodiscard]] Result<bool> write(Pg &pg) const;

private:
	struct Change
	{
		Wait wait = Wait::over;
		TimeUs since = 0;
	};
	using Key = std::tuple<std::int32_t, MetricId, bool>; ///< device, metric, is it its validity?
	void add_both(const BatchRec &batch, const ReadingRec &reading);
	std::map<Key, Change> changes_;
};

/// At the start, after the open alerts.  The caller holds no lock.
[[nodiscard]] Result<bool> load_waiting(Pg &pg);

} // namespace bmd
