/// @file outbox.hpp  Where ports leave readings and the uplink takes them, between threads.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Never blocks on disk or network: the lock is held only to copy.

#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>

#include "bmd/report.hpp"

namespace bmd {

class Outbox
{
public:
	/// Longest text of one batch, in bytes.
	static constexpr std::size_t max_batch = 500'000;
	/// Memory for readings that the spool has not taken; beyond it new readings are lost and
	/// counted.
	static constexpr std::size_t max_waiting = 64'000'000;

	struct Taken
	{
		std::string text;
		bool has_alarm = false; ///< an alarm is on, ended, or a value is invalid
	};

	/// `wake` is called from add() when readings are waiting.  Set before the first add().
	void on_waiting(std::function<void()> wake) { wake_ = std::move(wake); }

	/// Adds the readings of one frame of one device.
	void add(std::string_view serial, TimeUs time, std::span<const Reading> readings);

	/// Takes whole lines of at most max_batch bytes; empty when nothing waits.
	[[nodiscard]] Taken take();

	/// Bytes waiting.
	[[nodiscard]] std::size_t waiting() const;
	/// Frames lost because the spool took nothing for too long.
	[[nodiscard]] std::uint64_t lost() const;

private:
	bool note_alarms(std::string_view serial, std::span<const Reading> readings);

	mutable std::mutex mutex_;
	std::function<void()> wake_;
	ReportWriter writer_;
	std::string waiting_;
	bool has_alarm_ = false;
	std::uint64_t lost_ = 0;
	/// Alarms last seen on, by serial and alarm: their end is news too.
	std::unordered_map<std::string, std::unordered_map<MetricId, bool>> on_;
};

} // namespace bmd
