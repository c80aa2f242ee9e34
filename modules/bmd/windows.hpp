/// @file windows.hpp  Maintenance windows: which devices are being worked on.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Provisioned by SQL, or set by kamcmd: then they are in force at once and journaled.  Callers
/// hold the registry lock (shared).

#pragma once

#include <string_view>
#include <vector>

#include "store.hpp"

namespace bmd {

inline constexpr DurationUs longest_window = 24 * 3600 * second_us;

/// The window in force for a device, if any.
[[nodiscard]] bool find_window(Index device, TimeUs now, WindowRec &found) noexcept;

enum class WindowSet : std::uint8_t
{
	done,
	none_to_end, ///< there is no window of this device that could be ended
	no_room      ///< no slot, or the journal has no room
};

/// A window of one device from `now` on; `until` of now ends those of the device.
[[nodiscard]] WindowSet set_window(std::string_view serial, TimeUs now, TimeUs until,
		std::string_view who, std::string_view why) noexcept;

/// Windows as the database has them: begin, keep each that it has, drop what was read before and is
/// not there any more, then put each into the room there is.  What was set here and is not stored
/// yet stays, and what an operator ended stays so.
void begin_windows() noexcept;
void keep_window(const Uuid &id) noexcept;
void drop_lost_windows() noexcept;
/// False when there is no room.
[[nodiscard]] bool put_window(const WindowRec &window) noexcept;

/// Those in force or to come, by their begin.
[[nodiscard]] std::vector<WindowRec> all_windows(TimeUs now);

/// For the timer: has any begun or ended since the last call?  Forgets those that are over.
[[nodiscard]] bool windows_moved(TimeUs now) noexcept;

} // namespace bmd
