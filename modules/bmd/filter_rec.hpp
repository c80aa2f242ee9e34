/// @file filter_rec.hpp  Filters of subscriptions in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Parts of the store (store.hpp); filters.hpp keeps them.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "bmd/metric.hpp"
#include "bmd/time.hpp"
#include "lock.hpp"

namespace bmd {

inline constexpr std::size_t filter_buckets = 256;
inline constexpr std::size_t max_compared = 256; ///< different numbers that filters compare with
inline constexpr std::size_t ended_filters = 1024;

struct FilterRec;

/// A number that filters compare the value of a metric with.
struct ComparedRec
{
	double number;
	std::uint32_t refs; ///< filters and rules; 0: free
	MetricId metric;
	bool below;
};

/// All filters there are: each text once, however many subscriptions have it.
struct FilterTable
{
	Mutex lock;
	FilterRec *head[filter_buckets]; ///< by number; pieces of shared memory of their own
	std::uint32_t last;              ///< number given last
	std::uint32_t count;
	std::uint64_t bytes;
	std::atomic<TimeUs>
			next_end; ///< wall clock: the first moment when an item of any ends; 0: never
	ComparedRec compared[max_compared];
	std::atomic<std::uint32_t> compared_used; ///< the highest place in use
	std::uint64_t ended[ended_filters];       ///< dialogs that had one: their rows can go
	std::uint32_t ended_count;
	std::atomic<std::uint32_t> rules; ///< number of the text of the server's rules; 0: none
};

} // namespace bmd
