/// @file ids.hpp  Alert ids, derived from what the alert is about.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The same device, metric, condition and onset always give the same id, so evaluating a reading
/// again after a restart finds the same alert.  UUID version 8 (RFC 9562), not random, not secret.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bmd/alert.hpp"
#include "bmd/metric.hpp"

namespace bmd {

using Uuid = std::array<std::uint8_t, 16>;

[[nodiscard]] Uuid derive_alert_id(
		std::string_view serial, MetricId metric, Condition condition, TimeUs onset) noexcept;

/// 36 characters, lower case.
[[nodiscard]] std::string to_string(const Uuid &id);
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text) noexcept;

} // namespace bmd
