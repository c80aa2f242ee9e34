/// @file dmp_samples.hpp  What the tests of the DMP codec share.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>

#include "bmd/dmp.hpp"
#include "bmd/dmp_feed.hpp"

namespace bmd_test {

/// Whole content of tests/data/NAME; fails the running test when there is none.
[[nodiscard]] std::string file_text(const std::string &name);

/// The reason of a failed Result, "" of a good one.
template <class T> [[nodiscard]] std::string reason_of(const bmd::Result<T> &result)
{
	return result ? std::string() : result.error().reason;
}

/// `text` with the first `from` replaced; fails the running test when there is none.
[[nodiscard]] std::string replaced(
		std::string text, const std::string &from, const std::string &to);

/// A feed with every field of its alerts set, and one alert with as few as there may be.
[[nodiscard]] bmd::dmp::Feed sample_feed();

/// Every field is the same.
[[nodiscard]] bool same_alert(const bmd::AlertView &a, const bmd::AlertView &b);
[[nodiscard]] bool same_feed(const bmd::dmp::Feed &a, const bmd::dmp::Feed &b);
/// The same kind and content; Notify without its alert.
[[nodiscard]] bool same_entry(const bmd::dmp::Entry &a, const bmd::dmp::Entry &b);

} // namespace bmd_test
