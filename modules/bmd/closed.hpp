/// @file closed.hpp  Alerts that were closed shortly before the server started.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A collector sends again what was not durable when the server was killed; an alert that it raised
/// then has the same id, and may be stored already, with its end.  Its history goes on.

#pragma once

#include <cstdint>

#include "bmd/ids.hpp"

namespace bmd {

/// Before the fork, so that every process has it.  Throws std::bad_alloc.
void know_closed(const Uuid &id, std::uint32_t revision);

/// After the last of them.
void closed_known() noexcept;

/// The last revision of an alert that was closed before the start; 0: none of that id is known.
[[nodiscard]] std::uint32_t revision_closed(const Uuid &id) noexcept;

} // namespace bmd
