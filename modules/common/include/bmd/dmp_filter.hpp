/// @file dmp_filter.hpp  The DMP document in the body of a SUBSCRIBE, as a filter of its alerts.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The grammar of the parts is that of dmp_subscribe.hpp, with more words.  What cannot be
/// understood is refused with what and where; nothing is guessed.  Whether types, groups, areas,
/// rules and devices of these names exist is the caller's to check.

#pragma once

#include <string>

#include "bmd/dmp.hpp"
#include "bmd/filter.hpp"

namespace bmd::dmp {

inline constexpr std::size_t max_filter_items = 64;
inline constexpr std::size_t max_filter_bytes = 4000; ///< of the text of a filter that is kept

/// A filter, and the same as a document whose ends are moments: it means the same whenever it is
/// read.
struct FilterDocument
{
	Filter filter;
	std::string text;
};

/// Reads a DMPAction of which all entries are Subscribes.
///
///     Device    *, SERIAL, type NAME, group NAME, area NAME
///     Variable  *, or a metric or alarm of the catalogue
///     Event     terms with "and" between them: any, low, high, invalid, stale, priority >= WORD,
///               kind = WORD, type = NAME, group = NAME, area = NAME, rule NAME, and
///               VARIABLE OP NUMBER[UNIT] with < <= (it is too low) or > >= (it is too high);
///               a NAME with " and " in it stands within double quotes
///     Duration  as in dmp_subscribe.hpp, or "always"; a moment that has passed: it is over
///     bmd:urgent="filtered" of the root: what is urgent is left out, too, when it does not fit
///
/// `once`: state is asked for once, so a Duration of 0 means now; otherwise it is refused.
/// Errors: malformed, with the Subscribe, the Variable and the Event, counted from 1.
[[nodiscard]] Result<FilterDocument> read_filter(
		const Document &document, TimeUs now, DurationUs utc_offset = 0, bool once = false);

/// Of the text of a FilterDocument.  Errors: malformed.
[[nodiscard]] Result<Filter> parse_filter(std::string_view text);

} // namespace bmd::dmp
