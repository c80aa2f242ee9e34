/// @file window_rec.hpp  Maintenance windows as they stand in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alert_rec.hpp"
#include "lock.hpp"

namespace bmd {

inline constexpr std::size_t max_windows = 1024;
inline constexpr std::size_t window_why_size = 80;

enum class WindowScope : std::uint8_t
{
	none = 0, ///< a free slot
	device,
	type,
	group,
	everything
};

struct WindowRec
{
	Uuid id;
	TimeUs from; ///< wall clock, as the following
	TimeUs until;
	char name[name_size]; ///< serial, type or group; empty for everything
	char who[name_size];
	char why[window_why_size];
	WindowScope scope;
	bool stored; ///< it has been read from the database: when it is no longer there it goes
	bool found;  ///< by the reading that is under way
	bool active; ///< when the timer looked last
	bool ended;  ///< by an operator: stays until the database knows it, or until `ends_anyway`
	TimeUs ends_anyway;
};

struct Windows
{
	Mutex lock; ///< at the level of the book's
	WindowRec at[max_windows];
	std::atomic<std::uint32_t> count;  ///< slots in use
	std::atomic<std::uint32_t> active; ///< windows that are in force
	std::atomic<bool> dropped; ///< one that was in force, and the timer has not looked since
};

} // namespace bmd
