/// @file filters.hpp  Filters of subscriptions: kept in shared memory, with a bound.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A filter has a number; 0 is none.  A text is kept once, with a count of those who refer to it.
/// What a filter means is looked at in fitting.hpp.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/filter.hpp"
#include "store.hpp"

namespace bmd {

/// Keeps the text of a dmp::FilterDocument, with one reference: its number.  nullopt: no room
/// (parameter filter_kb), counted.  `replaces`: it takes the place of another, which goes when this
/// one is there, so it may pass the bound by an eighth.
[[nodiscard]] std::optional<std::uint32_t> keep_filter(
		const Filter &filter, std::string_view text, bool replaces = false) noexcept;
/// One reference less; the last one frees it.  0: nothing.
void release_filter(std::uint32_t number) noexcept;
/// Its text; empty when there is none of this number.
[[nodiscard]] std::string filter_text(std::uint32_t number);
/// Does it leave out what is urgent, too?
[[nodiscard]] bool hides_urgent(std::uint32_t number) noexcept;

/// The subscription of this dialog, which has a filter, has ended: its row can go.
void note_filter_ended(std::uint64_t dialog) noexcept;
/// These, each once.
[[nodiscard]] std::vector<std::uint64_t> take_ended_filters();

/// An item of a filter has ended in (`from`, `until`].
[[nodiscard]] bool filter_ends_within(std::uint32_t number, TimeUs from, TimeUs until) noexcept;
/// Has an item of any ended by now?  Once for each end.
[[nodiscard]] bool some_filter_ends(TimeUs now) noexcept;

/// Is there a filter, or a rule of the server, that compares with a number between these two values
/// of the metric, the first of which is the better?
[[nodiscard]] bool is_compared(MetricId metric, bool below, float from, float to) noexcept;

} // namespace bmd
