/// @file owners.hpp  Whose subscription a dialog is.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Presence finds a dialog by Call-ID and tags alone: who knows them could refresh, redirect or end
/// somebody else's subscription.

#pragma once

#include <string_view>

namespace bmd {

/// Remembers the owner of a new dialog.
void own_dialog(std::string_view call_id, std::string_view tag, std::string_view user) noexcept;

/// False when the dialog is known to be somebody else's.
[[nodiscard]] bool owns_dialog(
		std::string_view call_id, std::string_view tag, std::string_view user) noexcept;

} // namespace bmd
