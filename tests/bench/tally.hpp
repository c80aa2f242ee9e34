/// @file tally.hpp  What the watchers of the benchmark have been told, and how late.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// All times are microseconds since 1970, by one clock with the server.

#pragma once

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/time.hpp"
#include "measure.hpp"
#include "sip.hpp"

namespace bench {

/// When one NOTIFY came: taken by the kernel, and seen by this program.
struct Arrival
{
	std::int64_t wire = 0;
	std::int64_t seen = 0;
};

/// Counts since the last reset.
class Tally
{
public:
	std::uint64_t notifies = 0;   ///< without repeated ones
	std::uint64_t duplicates = 0; ///< of a CSeq seen before: the server repeated it
	std::uint64_t gaps = 0;       ///< versions that went up by more than one
	std::uint64_t foreign = 0;    ///< of no subscription of ours
	std::uint64_t entries = 0;    ///< alerts in partial documents, raised or ended
	std::uint64_t bytes = 0;      ///< of bodies
	std::int64_t first = 0;       ///< taken by the kernel, as `last`
	std::int64_t last = 0;

	/// Takes a NOTIFY's body.  Full state says nothing about lateness and counts no entries.
	void take(std::string_view body, const Arrival &arrival)
	{
		++notifies;
		bytes += body.size();
		if(first == 0)
			first = arrival.wire;
		last = std::max(last, arrival.wire);
		if(body.find("bmd:state=\"full\"") != std::string_view::npos)
			return;
		std::size_t at = 0;
		while((at = body.find(" measured=\"", at)) != std::string_view::npos) {
			const std::size_t end = body.find('>', at);
			entry(body.substr(at, end - at), arrival);
			at = end;
		}
	}

	/// One line of JSON; `more` goes in front of the members.
	void print(const std::string &more)
	{
		std::printf("{%s\"notifies\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"gaps\":%" PRIu64
					",\"foreign\":%" PRIu64 ",\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64
					",\"first\":%" PRId64 ",\"last\":%" PRId64 ",",
				more.c_str(), notifies, duplicates, gaps, foreign, entries, bytes, first, last);
		quantiles("seen", seen_);
		quantiles("wire", wire_);
		quantiles("inside", inside_);
		std::printf("\"changes\":%zu,\"reached_min\":%" PRIu64 ",\"reached_max\":%" PRIu64
					",\"cpu_s\":%.3f}\n",
				changes_.size(), fewest(), most(), own_cpu());
		std::fflush(stdout);
	}

private:
	static std::int64_t time_of(std::string_view text, std::string_view name)
	{
		const std::string_view value = between(text, name, "\"");
		const auto time = bmd::parse_time(value);
		return time ? *time : 0;
	}

	void entry(std::string_view text, const Arrival &arrival)
	{
		++entries;
		if(text.find(" cleared=\"") != std::string_view::npos)
			return; // its "measured" is of the reading that raised the alert
		// the watchers of one change get the same text
		if(text != known_) {
			known_ = text;
			measured_ = time_of(text, " measured=\"");
			arrived_ = time_of(text, " arrived=\"");
		}
		if(measured_ == 0)
			return;
		seen_.push_back(arrival.seen - measured_);
		wire_.push_back(arrival.wire - measured_);
		if(arrived_ != 0)
			inside_.push_back(arrival.wire - arrived_);
		++changes_[measured_];
	}

	static void quantiles(const char *name, std::vector<std::int64_t> &values)
	{
		std::printf("\"%s_us\":{\"p50\":%" PRId64 ",\"p99\":%" PRId64 ",\"max\":%" PRId64 "},",
				name, quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1.0));
	}

	[[nodiscard]] std::uint64_t fewest() const
	{
		std::uint64_t found = changes_.empty() ? 0 : UINT64_MAX;
		for(const auto &[time, count] : changes_)
			found = std::min(found, count);
		return found;
	}
	[[nodiscard]] std::uint64_t most() const
	{
		std::uint64_t found = 0;
		for(const auto &[time, count] : changes_)
			found = std::max(found, count);
		return found;
	}

	std::vector<std::int64_t> seen_;   // seen by this program, after the time told to the server
	std::vector<std::int64_t> wire_;   // the same, taken by the kernel
	std::vector<std::int64_t> inside_; // taken by the kernel, after the server's "arrived"
	std::map<std::int64_t, std::uint64_t>
			changes_; // how many NOTIFYs told of the change measured then
	std::string known_;
	std::int64_t measured_ = 0;
	std::int64_t arrived_ = 0;
};

} // namespace bench
