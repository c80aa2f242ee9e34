/// @file held.cpp  The table of changes that wait to be told.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "held.hpp"

#include <mutex>

#include "table.hpp"

namespace bmd {

Index put_held(const HeldRec &held) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.held_lock);
	const Index i = take(s.held, &HeldRec::next);
	if(i == 0)
		return 0;
	s.held[i] = held;
	++s.held_count;
	return i;
}

void change_held(Index i, const HeldRec &held) noexcept
{
	const std::lock_guard<Mutex> guard(store()->held_lock);
	store()->held[i] = held;
}

HeldRec held_at(Index i) noexcept
{
	const std::lock_guard<Mutex> guard(store()->held_lock);
	return store()->held[i];
}

void drop_held(Index i) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.held_lock);
	s.held[i] = HeldRec{};
	give_back(s.held, i, &HeldRec::next);
	--s.held_count;
}

std::vector<HeldRec> all_held()
{
	const Store &s = *store();
	std::vector<HeldRec> found;
	const std::lock_guard<Mutex> guard(store()->held_lock);
	if(s.held_count == 0)
		return found;
	found.reserve(s.held_count);
	for(Index i = 1; i <= s.held.used; ++i)
		if(s.held[i].dialog != 0)
			found.push_back(s.held[i]);
	return found;
}

} // namespace bmd
