/// @file rows_text.cpp  A change of a row as one text.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "rows_text.hpp"

#include <cstdint>
#include <cstring>

namespace bmd {

void put_text(std::string &to, std::string_view text)
{
	const auto size = static_cast<std::uint32_t>(text.size());
	to.append(reinterpret_cast<const char *>(&size), sizeof size).append(text);
}

namespace {

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

} // namespace

std::string packed(const RowChange &change)
{
	std::string text(1, static_cast<char>(change.action));
	put_cells(text, change.where);
	put_cells(text, change.cells);
	return text;
}

RowChange unpacked(std::string_view table, std::string_view text)
{
	RowChange change;
	change.table = table;
	change.action = static_cast<RowAction>(text.front());
	text.remove_prefix(1);
	change.where = take_cells(text);
	change.cells = take_cells(text);
	return change;
}

bool tame(RowChange &change)
{
	constexpr std::size_t widest = 255;
	bool tamed = false;
	for(Cell &cell : change.cells) {
		if(cell.name != "user_agent" || !cell.value)
			continue;
		std::string text = cell.value->substr(0, widest);
		for(char &c : text)
			c = c < ' ' || c > '~' ? '?' : c;
		tamed = tamed || text != *cell.value;
		cell.value = text;
	}
	return tamed;
}

} // namespace bmd
