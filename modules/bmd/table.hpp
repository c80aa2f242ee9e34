/// @file table.hpp  Takes slots of tables and chains of hash buckets, and gives them back.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Callers hold the lock of the table.

#pragma once

#include <string_view>

#include "store.hpp"

namespace bmd {

/// Takes a slot; `next` links the free ones.  0: no room.
template <class T> Index take(Table<T> &table, Index T::*next) noexcept
{
	if(table.free != 0) {
		const Index i = table.free;
		table.free = table[i].*next;
		return i;
	}
	return table.used < table.size ? ++table.used : 0;
}

template <class T> void give_back(Table<T> &table, Index i, Index T::*next) noexcept
{
	table[i].*next = table.free;
	table.free = i;
}

/// Are `count` slots free?
template <class T> bool has_room(const Table<T> &table, std::size_t count, Index T::*next) noexcept
{
	std::size_t free = table.size - table.used;
	for(Index i = table.free; i != 0 && free < count; i = table[i].*next)
		++free;
	return free >= count;
}

inline Index &bucket(Buckets &buckets, std::uint64_t hash) noexcept
{
	return buckets.head[hash & buckets.mask];
}

template <class T>
Index find_named(const Table<T> &table, Buckets &buckets, std::string_view name,
		char (T::*field)[name_size]) noexcept
{
	Index i = bucket(buckets, hash_name(name));
	while(i != 0 && name != table[i].*field)
		i = table[i].next_hash;
	return i;
}

template <class T> void link_hash(Table<T> &table, Index &head, Index i) noexcept
{
	table[i].next_hash = head;
	head = i;
}

template <class T> void unlink_hash(Table<T> &table, Index &head, Index gone) noexcept
{
	Index *link = &head;
	while(*link != 0 && *link != gone)
		link = &table[*link].next_hash;
	if(*link == gone)
		*link = table[gone].next_hash;
}

} // namespace bmd
