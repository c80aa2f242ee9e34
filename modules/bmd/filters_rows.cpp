/// @file filters_rows.cpp  Filters of subscriptions as rows that wait for the database.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "filters_rows.hpp"

#include "rows.hpp"
#include "subs.hpp"

namespace bmd {

namespace {

constexpr const char *filters_table = "bmd_filter";

// As it stands in the name of the dialog's resource.
std::string name_of(std::uint64_t dialog)
{
	return resource_of({}, dialog).substr(1);
}

Cell cell(const char *name, std::string_view value)
{
	return {name, "=", std::string(value)};
}

} // namespace

bool store_filter_row(
		std::uint64_t dialog, std::string_view user, std::string_view feed, std::string_view text)
{
	RowChange change;
	change.action = RowAction::put;
	change.table = filters_table;
	change.replaces = true;
	change.cells = {cell("dialog", name_of(dialog)), cell("username", user), cell("feed", feed),
			cell("filter", text)};
	return keep_row(change) == RowOutcome::waits;
}

void forget_filter_row(std::uint64_t dialog)
{
	RowChange change;
	change.action = RowAction::remove;
	change.table = filters_table;
	change.where = {cell("dialog", name_of(dialog))};
	(void)keep_row(change); // without room the next start does it
}

} // namespace bmd
