/// @file rows.cpp  What waits of each row: one piece of shared memory, in a hash and in a list.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "bmd_host.h"
#include "rows_text.hpp"
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
	bool may_exist;       ///< the database may have a row of this key
	std::int64_t expires; ///< what it will say of that, 0: nothing or not a number

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
// Each key is a unique constraint of Kamailio's schema, or of ours.
constexpr std::array<KeptTable, kept_tables> tables{{
		{"active_watchers", {"callid", "to_tag", "from_tag"}, 3},
		{"location", {"ruid"}, 1},
		{"bmd_policy_answer", {"username", "feed"}, 2},
		{"bmd_filter", {"dialog"}, 1},
}};

std::size_t table_number(std::string_view name) noexcept
{
	const auto *const found = std::ranges::find(tables, name, &KeptTable::name);
	return static_cast<std::size_t>(found - tables.begin());
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

std::uint64_t size_of(const WaitingRow *row) noexcept
{
	return sizeof(WaitingRow) + row->size;
}

// A process can be ended within it: the list forward is whole at every moment, mend_rows() makes
// the rest from it.
void publish(WaitingRow *&where, WaitingRow *row) noexcept
{
	std::atomic_ref(where).store(row);
}

void link(WaitingRow *row, WaitingRow *older, WaitingRow *newer) noexcept
{
	RowsWaiting &rows = store()->rows;
	row->older = older;
	row->newer = newer;
	row->number = ++rows.last_number;
	publish(older == nullptr ? rows.oldest : older->newer, row);
	(newer == nullptr ? rows.newest : newer->older) = row;
	row->next_of_hash = bucket(row->hash);
	bucket(row->hash) = row;
	++rows.of_table[row->table];
	rows.bytes += size_of(row);
}

void drop(WaitingRow *row) noexcept
{
	RowsWaiting &rows = store()->rows;
	publish(row->older == nullptr ? rows.oldest : row->older->newer, row->newer);
	(row->newer == nullptr ? rows.newest : row->newer->older) = row->older;
	WaitingRow **at = &bucket(row->hash);
	while(*at != row)
		at = &(*at)->next_of_hash;
	*at = row->next_of_hash;
	--rows.of_table[row->table];
	rows.bytes -= size_of(row);
	bmd_host_shm_free(row);
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

std::int64_t expires_of(const std::vector<Cell> &cells) noexcept
{
	const Cell *cell = find_cell(cells, "expires");
	std::int64_t expires = 0;
	if(cell == nullptr)
		return 0;
	const char *end = cell->value->data() + cell->value->size();
	const auto read = std::from_chars(cell->value->data(), end, expires);
	return read.ec == std::errc{} && read.ptr == end ? expires : 0;
}

// What the database never heard of need not be written to be swept.
void sweep_waiting(std::size_t table, const std::vector<Cell> &where) noexcept
{
	const std::int64_t bound = where.size() == 1 ? expires_of(where) : 0;
	for(WaitingRow *row = store()->rows.oldest; row != nullptr;) {
		WaitingRow *newer = row->newer;
		if(row->table == table && !row->may_exist && row->expires != 0 && row->expires < bound)
			drop(row);
		row = newer;
	}
}

// The change in its place; with the lock held.
RowOutcome enter(std::size_t table, std::string_view key, RowChange change)
{
	RowsWaiting &rows = store()->rows;
	const std::uint64_t hash = hash_name(key);
	const bool sweep = change.action == RowAction::sweep;
	WaitingRow *old = find(hash, key);
	if(old != nullptr && change.action == RowAction::remove && !old->may_exist) {
		drop(old);
		return RowOutcome::waits;
	}
	const bool may_exist =
			old != nullptr ? old->may_exist : change.action != RowAction::put || change.replaces;
	if(sweep)
		sweep_waiting(table, change.where);
	else if(old != nullptr)
		change = joined(unpacked(tables[table].name, old->change()), change);
	else if(rows.bytes > most_row_bytes()) {
		count(count_rows_no_room);
		return RowOutcome::no_memory;
	}
	WaitingRow *row = make_row(table, hash, key, packed(change));
	if(row == nullptr)
		return RowOutcome::no_memory;
	row->may_exist = may_exist;
	row->expires = sweep ? 0 : expires_of(change.cells);
	// A sweep follows what was asked for before it.
	if(sweep || old == nullptr)
		link(row, rows.newest, nullptr);
	else
		link(row, old, old->newer);
	if(old != nullptr) // not before: one of the two must be there at every moment
		drop(old);
	return RowOutcome::waits;
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
	RowOutcome outcome;
	{
		const std::lock_guard<Mutex> guard(rows.lock);
		outcome = enter(table, key, std::move(kept));
	}
	if(outcome != RowOutcome::waits)
		return outcome;
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
	for(WaitingRow *row = rows.oldest; row != nullptr && taken.size() < most; row = row->newer) {
		taken.push_back({row->hash, row->number, unpacked(tables[row->table].name, row->change())});
		row->may_exist = true;
	}
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
		if(row != nullptr)
			drop(row);
	}
}

void mend_rows() noexcept
{
	RowsWaiting &rows = store()->rows;
	std::fill_n(rows.head, row_buckets, RowHead{});
	for(auto &of_table : rows.of_table)
		of_table = 0;
	rows.bytes = 0;
	rows.newest = nullptr;
	for(WaitingRow *row = rows.oldest; row != nullptr; row = row->newer) {
		row->older = rows.newest;
		rows.newest = row;
		row->next_of_hash = bucket(row->hash);
		bucket(row->hash) = row;
		++rows.of_table[row->table];
		rows.bytes += size_of(row);
	}
}

std::uint64_t most_row_bytes() noexcept
{
	constexpr std::uint64_t of_subscription = 2048;
	constexpr std::uint64_t of_others = 1 << 20;
	return store()->limits.subscriptions * of_subscription + of_others;
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
