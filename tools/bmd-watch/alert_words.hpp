/// @file alert_words.hpp  An alert in words, for lines and screens.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <string_view>

#include "bmd/alert.hpp"

namespace bmd::watch {

/// Text from the wire must not command the terminal: control characters (C0, DEL and, in UTF-8, C1)
/// and line ends become spaces.
[[nodiscard]] std::string printable(std::string_view text);
/// ASCII letters only.
[[nodiscard]] std::string upper(std::string_view word);
/// "SpO2 84 % below limit 90 %", "LowO2Supply: alarm of the device", "12 devices silent: A, B and
/// 10 more (collector home-3)".
[[nodiscard]] std::string what(const AlertView &alert);
/// Patient, location, address; "no patient".
[[nodiscard]] std::string where(const AlertView &alert);
/// "03:00:12Z".
[[nodiscard]] std::string time_of_day(TimeUs time);
/// What people have made of it, and why it may be quiet; empty when there is nothing to say.
[[nodiscard]] std::string answers(const AlertView &alert);
/// Shortest decimal.
[[nodiscard]] std::string number(double value);

} // namespace bmd::watch
