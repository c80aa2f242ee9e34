/// @file fitting.hpp  Which alerts fit the filter of a subscription.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A process reads the text of a filter once.

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "bmd/filter.hpp"
#include "store.hpp"
#include "telling.hpp"

namespace bmd {

/// One filter at one moment.
class Fitting
{
public:
	/// 0: everything fits; so it does when the filter cannot be read.
	explicit Fitting(std::uint32_t number);

	[[nodiscard]] bool any() const noexcept { return filter_ != nullptr; }
	/// Of somebody who is shown this much of it.  Caller holds the registry lock.
	[[nodiscard]] bool fits(const AlertRec &alert, const Shown &shown) const;
	/// Leaves out what does not fit, and says how many.  Caller holds the registry lock.
	void apply(Telling &telling) const;

private:
	std::shared_ptr<const Filter> filter_; ///< nullptr: none
	std::shared_ptr<const FilterRules> rules_;
	TimeUs now_;
};

/// Replaces the server's rules that filters name; who has a filter that names one gets full state.
/// False when there is no room: the old ones stay, counted and logged.
bool publish_filter_rules(const FilterRules &rules);

/// Who has a filter gets full state: what fits may have changed.
void refresh_filtered();

/// Those in force; of those that a process has read already this takes no lock.
[[nodiscard]] std::shared_ptr<const FilterRules> filter_rules_now();

/// Subscriptions of whose filter an item has ended get their full state, rows of filters whose
/// subscriptions have ended go.  For the timer.
void look_after_filters();

} // namespace bmd
