/// @file device.hpp  The bytes that a simulated device sends.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no I/O, no clock.

#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "scenario.hpp"

namespace bmd {

/// One packet of Nonin data format 2: 25 frames of 5 bytes.  SpO2 is cut to 0-126, PulseRate to
/// 0-510, so that only `unplugged` gives the invalid codes 127 and 511.
[[nodiscard]] std::string nonin_packet(const Moment &moment);

/// One reply of a Puritan Bennett 840 to SNDF.  What the moment does not name is what a ventilator
/// at rest in A/C mode shows: no alarm, usual settings.  `hh_mm` is its clock.
[[nodiscard]] std::string pb840_reply(const Moment &moment, const std::string &hh_mm);

/// The bytes as they arrive over a bad line.
[[nodiscard]] std::string damage(std::string bytes, const Moment &moment, std::mt19937 &random);

} // namespace bmd
