/// @file query.hpp  Answers to a DMP Query: what is known of a device now.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
///     METRIC      its last value, when it was measured, the alarm limits in force
///     values      every metric and alarm the device has reported
///     device-type location patient patient-address last-heard state open-alerts
///     all         all of these
///     alerts      how many are open, and each of them (at most 48) in a Notify

#pragma once

#include <string_view>
#include <vector>

#include "bmd/dmp.hpp"

namespace bmd::dmp {

/// The response, and the alerts that were asked for as Notify entries.  Who is not responsible for
/// the device gets the same 403 for each variable, whether there is such a device or not.  A
/// variable that is named twice is answered once.
[[nodiscard]] std::vector<Entry> answer_query(
		std::string_view user, std::string_view device, const Query &query);

/// A response that gives every variable this result and no value.
[[nodiscard]] QueryResponse refuse_query(const Query &query, ResultCode code);

/// Names that are repeated in a response are cut to this many bytes.
inline constexpr std::size_t longest_echo = 64;

} // namespace bmd::dmp
