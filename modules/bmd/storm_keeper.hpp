/// @file storm_keeper.hpp  Finds devices that fall silent, and begins, follows and ends storms.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// One process does it, every 200 ms.  The silence of devices is told as one alert when it has one
/// cause (bmd/storm.hpp); what changes in it is told at most once a second, to the feeds it
/// concerns.  Nothing of it is in the way of readings: who is heard again is found by counting.

#pragma once

#include <map>
#include <vector>

#include "storm.hpp"

namespace bmd {

/// The devices that a storm tells of.
struct StormCount
{
	std::uint32_t devices = 0;
	bool orphans = false;                 ///< one of them has no team
	std::vector<Index> shown;             ///< of these the most urgent
	std::map<Index, std::uint32_t> feeds; ///< how many of them each feed carries
};

/// Counts those of `devices` that belong to the storm still; drops the others from the list, and
/// those that are heard again from the storm.  Takes its own locks.
[[nodiscard]] StormCount count_storm(std::uint8_t storm, std::vector<Index> &devices);

/// Puts it into the record, for documents and commands.
void show_storm(std::uint8_t storm, const StormCount &count) noexcept;

/// A restored stale alert that a storm told of; later, when all alerts are there, these devices
/// are theirs again.  At the start.
void remember_member(Index alert, const Uuid &storm);
void restore_storms();

class StormKeeper
{
public:
	/// One look at all devices.  Never throws; what goes wrong is logged and tried again.
	void round() noexcept;

private:
	/// What is known of a storm besides its record.
	struct Kept
	{
		StormSpan span;
		std::vector<Index> devices;          ///< that joined; some may have left
		std::map<Index, std::uint32_t> told; ///< how many devices each feed was told of
		std::uint32_t total = 0;             ///< that were told of
		TimeUs few_since = 0;                ///< monotonic, as the following
		TimeUs counted_at = 0;
		TimeUs told_at = 0; ///< 0: not yet
	};
	/// A device that was told by itself, and may turn out to be one of many.
	struct Recent
	{
		Index device;
		TimeUs noticed;
	};

	void begin();
	void look();
	void notice(const std::vector<Index> &found);
	void forget_recent(TimeUs now);
	[[nodiscard]] std::vector<std::uint8_t> storms_of(const Grouping &grouping);
	[[nodiscard]] std::uint8_t open_storm(std::uint64_t cause, std::uint32_t devices);
	void join(std::uint8_t storm, Index device, TimeUs heard);
	void tell_first(std::uint8_t storm, TimeUs now);
	void tell(std::uint8_t storm, const StormCount &count, TimeUs now);
	void tell_feeds(const AlertRec &alert, Index slot, Kept &kept, const StormCount &count);
	void follow(TimeUs now);
	void end(std::uint8_t storm, const StormCount &count);

	std::map<std::uint8_t, Kept> storms_; ///< by number
	std::vector<Recent> recent_;
	bool begun_ = false;
};

} // namespace bmd
