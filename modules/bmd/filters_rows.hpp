/// @file filters_rows.hpp  Filters of subscriptions in the database: they outlast a restart.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nobody waits: rows are written as those of Kamailio's tables are (rows.hpp).

#pragma once

#include <cstdint>
#include <string_view>

namespace bmd {

/// The row of this dialog says this from now on.  False: there is no room for it to wait.
bool store_filter_row(
		std::uint64_t dialog, std::string_view user, std::string_view feed, std::string_view text);
/// There is no such row any more.
void forget_filter_row(std::uint64_t dialog);

} // namespace bmd
