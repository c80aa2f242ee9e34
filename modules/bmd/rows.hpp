/// @file rows.hpp  Rows of Kamailio's own tables that wait for the database.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Subscriptions and registrations live in Kamailio's memory; who changes one does not wait until
/// the database knows.  Of each row only what it is to become is kept.  What came and went without
/// the database having heard of it is not kept at all, so the memory is bounded by the
/// subscriptions and registrations there are and those the database has, however long it is away.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store.hpp"

namespace bmd {

/// A column with its value, nullopt: NULL.  In a condition `op` compares it.
struct Cell
{
	std::string name;
	std::string op;
	std::optional<std::string> value;
};

enum class RowAction : std::uint8_t
{
	put,    ///< the row with these cells: a key that the database does not have
	update, ///< these cells of the row, if it is there
	remove, ///< the row
	sweep   ///< every row whose cells are less than those of the condition
};

struct RowChange
{
	RowAction action = RowAction::put;
	std::string table;
	std::vector<Cell> where; ///< update and remove: the key
	std::vector<Cell> cells;
	bool replaces = false; ///< put: the database may have the key after all
};

enum class RowOutcome
{
	waits,    ///< it will be written
	not_ours, ///< an unknown table, or rows named in another way than by their key
	no_memory ///< nothing has changed
};

/// Keeps a change to be written, after those before it.  What waits for the same row becomes one
/// with it, in its place: a sweep that was asked for in between finds the row as it is now.
/// An update that only says that a subscription's counters have grown need not be written.
[[nodiscard]] RowOutcome keep_row(const RowChange &change);

/// Columns that name one row; empty for a table that is not kept here.
[[nodiscard]] std::span<const std::string_view> key_of_table(std::string_view table) noexcept;

struct WaitingChange
{
	std::uint64_t key; ///< with `number`: of this change, as long as nothing was added to it
	std::uint64_t number;
	RowChange change;
};

/// Shared memory that rows may take: 2 KiB for each subscription there is room for, and 1 MiB.  A
/// change of one more row finds no memory then, and is counted.
[[nodiscard]] std::uint64_t most_row_bytes() noexcept;

/// For the last process: those that were ended may have been in the middle of something here.
/// Locks are free, nobody else runs.
void mend_rows() noexcept;

/// The oldest changes that wait: whoever has them may have written them.
[[nodiscard]] std::vector<WaitingChange> waiting_rows(std::size_t most);

/// These are written, or refused for good; what was added meanwhile goes on waiting.
void settle_rows(std::span<const WaitingChange> done) noexcept;

[[nodiscard]] std::uint64_t rows_waiting() noexcept;
/// Of one table.
[[nodiscard]] std::uint64_t rows_waiting(std::string_view table) noexcept;

} // namespace bmd
