/// @file closed.cpp  Alerts that were closed shortly before the server started.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "closed.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace bmd {

namespace {

// Written before the fork and only read after it: the processes share its pages.
std::vector<std::pair<Uuid, std::uint32_t>> closed;

} // namespace

void know_closed(const Uuid &id, std::uint32_t revision)
{
	closed.emplace_back(id, revision);
}

void closed_known() noexcept
{
	std::ranges::sort(closed);
}

std::uint32_t revision_closed(const Uuid &id) noexcept
{
	const auto at = std::ranges::lower_bound(closed, std::pair(id, 0U));
	return at != closed.end() && at->first == id ? at->second : 0;
}

} // namespace bmd
