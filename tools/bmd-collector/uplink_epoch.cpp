/// @file uplink_epoch.cpp  When the spool's numbers are not the server's: a new epoch.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <limits>
#include <spdlog/spdlog.h>

#include "clock.hpp"
#include "uplink.hpp"

namespace bmd {

namespace {

using namespace std::chrono_literals;

// What the file had may be stored twice after that, rather than alerts wait for a database.
constexpr auto leave_patience = 3s;
constexpr auto leave_interval = 200ms;

constexpr std::uint64_t no_epoch = std::numeric_limits<std::int64_t>::max();

} // namespace

// Numbers of another life have been used after these (a spool restored), or this clock was far
// ahead when the spool was made: the same batches go under an epoch that the server takes.
void Uplink::outdated(const Reply &reply, Clock::time_point now)
{
	// Nobody has such an epoch, and there is none after it: every server would refuse it for ever.
	if(reply.known_epoch >= no_epoch)
		return failed("server says an epoch that cannot be", now);
	auto epoch = static_cast<std::uint64_t>(wall_clock());
	if(reply.server_clock > 0)
		epoch = std::min(epoch, static_cast<std::uint64_t>(reply.server_clock));
	epoch = std::max(epoch, reply.known_epoch + 1);
	spdlog::warn(
			"server does not take the spool's epoch {}; its new one is {}", spool_.epoch(), epoch);
	begin_epoch(epoch, now);
}

void Uplink::begin_epoch(std::uint64_t epoch, Clock::time_point now)
{
	spool_.renew(static_cast<TimeUs>(epoch));
	known_ = true; // nobody has used it
	sent_ = 0;
	leaving_ = {};
	failed("epoch was not taken", now);
	accepted_ = spool_.forgotten();
	next_ = accepted_ + 1;
}

// The server knows later batches than the file had, and they are not of this process: the file is
// an older copy, or memory stood in for the disk before the start.  Under the old epoch the next
// batches would be taken for those the server has, and lost.  What the file had when it was opened
// the server has as well: it is not sent again if that becomes durable soon.
void Uplink::other_life(std::uint64_t seq, std::uint64_t durable, Clock::time_point now)
{
	spool_.forget(std::min(durable, spool_.found()));
	if(leaving_ == Clock::time_point{})
		leaving_ = now;
	if(spool_.forgotten() < spool_.found() && now - leaving_ < leave_patience) {
		known_ = false;
		not_before_ = now + leave_interval;
		return;
	}
	const auto epoch = std::max(static_cast<std::uint64_t>(wall_clock()), spool_.epoch() + 1);
	spdlog::error("server knows batch {}, the last one found was {}: it is an older "
				  "copy, or what came later was held in memory only; its new epoch is {}",
			seq, spool_.found(), epoch);
	begin_epoch(epoch, now);
}

} // namespace bmd
