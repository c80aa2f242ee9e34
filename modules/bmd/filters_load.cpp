/// @file filters_load.cpp  Gives the subscriptions of before a start their filters back.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "filters_load.hpp"

#include "bmd/dmp_filter.hpp"
#include "bmd_host.h"
#include "filters.hpp"
#include "filters_rows.hpp"
#include "pg_stream.hpp"
#include "subs.hpp"

namespace bmd {

namespace {

// One that cannot be taken over leaves its subscription without: it is told everything.
void take_filter(const PgFields &row)
{
	const std::uint64_t dialog = parse_resource("~" + std::string(row.text(0))).dialog;
	const std::string text(row.text(1));
	SubTarget target{};
	if(dialog == 0 || !find_dialog(dialog, target))
		return forget_filter_row(dialog);
	const auto filter = dmp::parse_filter(text);
	if(!filter)
		return bmd_host_log(BMD_LOG_ERROR,
				("the filter of a subscription of " + std::string(target.user)
						+ " cannot be read, it is told everything: " + filter.error().reason)
						.c_str());
	if(const auto number = keep_filter(*filter, text); number)
		release_filter(exchange_filter(target.ref, *number));
}

} // namespace

Result<bool> load_filters(Pg &pg)
{
	return stream_rows(
			pg, "SELECT dialog, filter FROM bmd_filter", [](std::span<const PgFields> rows) {
				for(const PgFields &row : rows)
					take_filter(row);
			});
}

} // namespace bmd
