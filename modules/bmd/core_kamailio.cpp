/// @file core_kamailio.cpp  Rows of Kamailio's own tables, behind bmd_core.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nothing here lets an exception out into C.

#include <mutex>
#include <shared_mutex>

#include "bmd_core.h"
#include "documents.hpp"
#include "rows.hpp"

namespace {

std::string_view view(bmd_text text)
{
	return {text.s, text.len};
}

std::vector<bmd::Cell> cells_of(const bmd_cell *cells, int count)
{
	std::vector<bmd::Cell> all(static_cast<std::size_t>(count));
	for(std::size_t i = 0; i < all.size(); ++i) {
		all[i].name = view(cells[i].name);
		all[i].op = view(cells[i].op);
		if(cells[i].value.s != nullptr)
			all[i].value = view(cells[i].value);
	}
	return all;
}

bmd::RowAction action_of(bmd_row_action action)
{
	switch(action) {
		case BMD_ROW_UPDATE:
			return bmd::RowAction::update;
		case BMD_ROW_REMOVE:
			return bmd::RowAction::remove;
		default:
			return bmd::RowAction::put;
	}
}

} // namespace

int bmd_core_keep_row(const bmd_row *row)
{
	try {
		bmd::RowChange change;
		change.action = action_of(row->action);
		change.table = view(row->table);
		change.where = cells_of(row->where, row->where_count);
		change.cells = cells_of(row->cells, row->cell_count);
		change.replaces = row->action == BMD_ROW_REPLACE;
		switch(bmd::keep_row(change)) {
			case bmd::RowOutcome::waits:
				return 0;
			case bmd::RowOutcome::not_ours:
				return 1;
			default:
				return -1;
		}
	} catch(const std::exception &) {
		return -1;
	}
}

int bmd_core_rows_wait(bmd_text table)
{
	return bmd::rows_waiting(view(table)) > 0 ? 1 : 0;
}
