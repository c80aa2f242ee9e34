/// @file core_conninfo.hpp  How the database is reached, for what asks it now and then.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>

namespace bmd {

/// The parameter db_url.
[[nodiscard]] const std::string &database_conninfo() noexcept;

} // namespace bmd
