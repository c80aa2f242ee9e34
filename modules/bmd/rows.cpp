/// @file rows.cpp  What waits of each row: one piece of shared memory, in a hash and in a list.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "rows.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "bmd_host.h"
#include "subs.hpp"

namespace bmd {

/// Followed by its bytes: the key, then the change.
struct WaitingRow
{
	WaitingRow *next_of_hash;
	WaitingRow *older;
	WaitingRow *newer;
	std::uint64_t hash;
	std::uint64_t number; ///< another one whenever it changes
	std::uint32_t key_size;
	std::uint32_t size;
	std::uint32_t table;

	[[nodiscard]] char *data() noexcept { return reinterpret_cast<char *>(this + 1); }
	[[nodiscard]] std::string_view key() noexcept { return {data(), key_size}; }
	[[nodiscard]] std::string_view change() noexcept
	{
		return {data() + key_size, size - key_size};
	}
};

namespace {

struct KeptTable
{
	std::string_view name;
	std::array<std::string_view, 3> key;
	std::size_t columns;
};
// Each key is a unique constraint of Kamailio's schema.
constexpr std::array<KeptTable, kept_tables> tables{{
		{"active_watchers", {"callid", "to_tag", "from_tag"}, 3},
		{"location", {"ruid"}, 1},
}};

std::size_t table_number(std::string_view name) noexcept
{
	std::size_t i = 0;
	while(i < tables.size() && tables[i].name != name)
		++i;
	return i;
}

void put_text(std::string &to, std::string_view text)
{
	const auto size = static_cast<std::uint32_t>(text.size());
	to.append(reinterpret_cast<const char *>(&size), sizeof size).append(text);
}

std::string_view take_text(std::string_view &from) noexcept
{
	std::uint32_t size = 0;
	std::memcpy(&size, from.data(), sizeof size);
	const std::string_view text = from.substr(sizeof size, size);
	from.remove_prefix(sizeof size + size);
	return text;
}

void put_cells(std::string &to, const std::vector<Cell> &cells)
{
	to += static_cast<char>(cells.size());
	for(const Cell &cell : cells) {
		put_text(to, cell.name);
		put_text(to, cell.op);
		to += cell.value ? '\1' : '\0';
		put_text(to, cell.value.value_or(""));
	}
}

std::vector<Cell> take_cells(std::string_view &from)
{
	std::vector<Cell> cells(static_cast<unsigned char>(from.front()));
	from.remove_prefix(1);
	for(Cell &cell : cells) {
		cell.name = take_text(from);
		cell.op = take_text(from);
		const bool set = from.front() != '\0';
		from.remove_prefix(1);
		if(const std::string_view value = take_text(from); set)
			cell.value = value;
	}
	return cells;
}

std::string packed(const RowChange &change)
{
	std::string text(1, static_cast<char>(change.action));
	put_cells(text, change.where);
	put_cells(text, change.cells);
	return text;
}

RowChange unpacked(std::size_t table, std::string_view text)
{
	RowChange change;
	change.table = tables[table].name;
	change.action = static_cast<RowAction>(text.front());
	text.remove_prefix(1);
	change.where = take_cells(text);
	change.cells = take_cells(text);
	return change;
}

const Cell *find_cell(const std::vector<Cell> &cells, std::string_view name) noexcept
{
	const auto at = std::ranges::find(cells, name, &Cell::name);
	return at == cells.end() || !at->value ? nullptr : &*at;
}

// The row's key out of its cells, or out of a condition; nothing when one is missing.
std::optional<std::vector<Cell>> key_cells(std::size_t table, const std::vector<Cell> &from)
{
	std::vector<Cell> key;
	for(const std::string_view name : key_of_table(tables[table].name)) {
		const Cell *cell = find_cell(from, name);
		if(cell == nullptr || (!cell->op.empty() && cell->op != "="))
			return std::nullopt;
		key.push_back({std::string(name), "=", cell->value});
	}
	return key;
}

bool only_less(const std::vector<Cell> &where) noexcept
{
	return !where.empty() && std::ranges::all_of(where, [](const Cell &cell) {
		return cell.op == "<" && cell.value;
	});
}

// What the change is about, and in the form it is kept.  False: not for us.
bool settle_form(std::size_t table, RowChange &change, std::string &name)
{
	const auto key =
			key_cells(table, change.action == RowAction::put ? change.cells : change.where);
	name.assign(1, static_cast<char>('0' + table));
	if(change.action == RowAction::remove
			&& (!key || change.where.size() != key->size())) { // not one row
		if(!only_less(change.where))
			return false;
		change.action = RowAction::sweep;
		for(const Cell &cell : change.where)
			put_text(name, "<" + cell.name);
		return true;
	}
	if(!key)
		return false;
	change.where = *key; // what else a condition says of a row follows from its key
	for(const Cell &cell : *key)
		put_text(name, *cell.value);
	return true;
}

void add_cells(std::vector<Cell> &to, const std::vector<Cell> &from)
{
	for(const Cell &cell : from) {
		const auto at = std::ranges::find(to, cell.name, &Cell::name);
		if(at == to.end())
			to.push_back(cell);
		else
			*at = cell;
	}
}

// What is to become of the row when `later` comes after what waits.
RowChange joined(RowChange earlier, const RowChange &later)
{
	if(later.action != RowAction::update)
		return later;
	if(earlier.action == RowAction::remove)
		return earlier; // there is nothing to update
	add_cells(earlier.cells, later.cells);
	return earlier;
}

// What presence updates of a subscription's row, and what of it grows with every NOTIFY.
constexpr std::array<std::string_view, 6> kept_columns{
		"expires", "status", "reason", "remote_cseq", "contact", "record_route"};
constexpr std::array<std::string_view, 2> counters{"local_cseq", "version"};

/// What a change says of a subscription, to be compared with what its row says already.
struct Said
{
	std::uint64_t dialog = 0; ///< 0: something else
	std::uint64_t hash = 0;
	std::uint32_t cseq = 0;
};

Said said_of(const RowChange &change)
{
	const Cell *call_id = find_cell(change.where, "callid");
	const Cell *tag = find_cell(change.where, "from_tag");
	const Cell *cseq = find_cell(change.cells, counters.front());
	if(call_id == nullptr || tag == nullptr || cseq == nullptr)
		return {};
	std::string all;
	std::size_t known = counters.size();
	for(const std::string_view name : kept_columns)
		for(const Cell &cell : change.cells)
			if(cell.name == name) {
				put_text(all, cell.value.value_or(""));
				++known;
			}
	if(change.action == RowAction::update && known != change.cells.size())
		return {};
	return {dialog_of(*call_id->value, *tag->value), hash_name(all),
			static_cast<std::uint32_t>(std::strtoul(cseq->value->c_str(), nullptr, 10))};
}

WaitingRow *&bucket(std::uint64_t hash) noexcept
{
	RowsWaiting &rows = store()->rows;
	return rows.head[hash & (row_buckets - 1)].first;
}

WaitingRow *find(std::uint64_t hash, std::string_view key) noexcept
{
	WaitingRow *row = bucket(hash);
	while(row != nullptr && (row->hash != hash || row->key() != key))
		row = row->next_of_hash;
	return row;
}

void link(WaitingRow *row, WaitingRow *older, WaitingRow *newer) noexcept
{
	RowsWaiting &rows = store()->rows;
	row->older = older;
	row->newer = newer;
	(older == nullptr ? rows.oldest : older->newer) = row;
	(newer == nullptr ? rows.newest : newer->older) = row;
	row->next_of_hash = bucket(row->hash);
	bucket(row->hash) = row;
	row->number = ++rows.last_number;
	++rows.of_table[row->table];
}

void unlink(WaitingRow *row) noexcept
{
	RowsWaiting &rows = store()->rows;
	(row->older == nullptr ? rows.oldest : row->older->newer) = row->newer;
	(row->newer == nullptr ? rows.newest : row->newer->older) = row->older;
	WaitingRow **at = &bucket(row->hash);
	while(*at != row)
		at = &(*at)->next_of_hash;
	*at = row->next_of_hash;
	--rows.of_table[row->table];
}

WaitingRow *make_row(std::size_t table, std::uint64_t hash, std::string_view key,
		std::string_view change) noexcept
{
	void *memory = bmd_host_shm_alloc(sizeof(WaitingRow) + key.size() + change.size());
	if(memory == nullptr)
		return nullptr;
	WaitingRow *row = new (memory) WaitingRow();
	row->hash = hash;
	row->table = static_cast<std::uint32_t>(table);
	row->key_size = static_cast<std::uint32_t>(key.size());
	row->size = static_cast<std::uint32_t>(key.size() + change.size());
	std::memcpy(row->data(), key.data(), key.size());
	std::memcpy(row->data() + key.size(), change.data(), change.size());
	return row;
}

} // namespace

std::span<const std::string_view> key_of_table(std::string_view table) noexcept
{
	const std::size_t i = table_number(table);
	if(i == tables.size())
		return {};
	return {tables[i].key.data(), tables[i].columns};
}

RowOutcome keep_row(const RowChange &change)
{
	constexpr std::size_t most_cells = 255;
	RowsWaiting &rows = store()->rows;
	const std::size_t table = table_number(change.table);
	RowChange kept = change;
	std::string key;
	if(table == tables.size() || change.cells.size() > most_cells
			|| change.where.size() > most_cells || !settle_form(table, kept, key))
		return RowOutcome::not_ours;
	const Said said = said_of(kept);
	if(kept.action == RowAction::update && said.dialog != 0
			&& !row_is_news(said.dialog, said.hash, said.cseq))
		return RowOutcome::waits;
	const std::uint64_t hash = hash_name(key);
	{
		const std::lock_guard<Mutex> guard(rows.lock);
		WaitingRow *old = find(hash, key);
		if(old != nullptr && kept.action != RowAction::sweep)
			kept = joined(unpacked(table, old->change()), kept);
		WaitingRow *row = make_row(table, hash, key, packed(kept));
		if(row == nullptr)
			return RowOutcome::no_memory;
		WaitingRow *older = rows.newest;
		WaitingRow *newer = nullptr;
		if(old != nullptr) {
			unlink(old);
			// A sweep follows what was asked for before it.
			older = kept.action == RowAction::sweep ? rows.newest : old->older;
			newer = kept.action == RowAction::sweep ? nullptr : old->newer;
			bmd_host_shm_free(old);
		}
		link(row, older, newer);
	}
	if(said.dialog != 0)
		note_row(said.dialog, said.hash, said.cseq);
	rows.waker.wake();
	return RowOutcome::waits;
}

std::vector<WaitingChange> waiting_rows(std::size_t most)
{
	RowsWaiting &rows = store()->rows;
	std::vector<WaitingChange> taken;
	taken.reserve(std::min<std::size_t>(most, rows_waiting()));
	const std::lock_guard<Mutex> guard(rows.lock);
	for(WaitingRow *row = rows.oldest; row != nullptr && taken.size() < most; row = row->newer)
		taken.push_back({row->hash, row->number, unpacked(row->table, row->change())});
	return taken;
}

void settle_rows(std::span<const WaitingChange> done) noexcept
{
	RowsWaiting &rows = store()->rows;
	for(const WaitingChange &change : done) {
		const std::lock_guard<Mutex> guard(rows.lock);
		WaitingRow *row = bucket(change.key);
		while(row != nullptr && row->number != change.number)
			row = row->next_of_hash;
		if(row == nullptr)
			continue;
		unlink(row);
		bmd_host_shm_free(row);
	}
}

std::uint64_t rows_waiting() noexcept
{
	std::uint64_t sum = 0;
	for(const auto &of_table : store()->rows.of_table)
		sum += of_table;
	return sum;
}

std::uint64_t rows_waiting(std::string_view table) noexcept
{
	const std::size_t i = table_number(table);
	return i == tables.size() ? 0 : store()->rows.of_table[i].load();
}

} // namespace bmd
