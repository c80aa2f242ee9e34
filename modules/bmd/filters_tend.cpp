/// @file filters_tend.cpp  What has to be done about filters as time passes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "changes.hpp"
#include "filters.hpp"
#include "filters_rows.hpp"
#include "fitting.hpp"
#include "subs.hpp"

namespace bmd {

void look_after_filters()
{
	constexpr DurationUs margin = second_us; // a full state is noted a little after it was written
	for(const std::uint64_t dialog : take_ended_filters())
		forget_filter_row(dialog);
	const TimeUs now = wall_now();
	if(!some_filter_ends(now))
		return;
	for(const FilteredSub &sub : filtered_subs()) {
		if(!filter_ends_within(sub.filter, sub.full_at - margin, now))
			continue;
		count(count_filters_ended);
		queue_refresh_sub(sub.ref, sub.dialog);
	}
}

} // namespace bmd
