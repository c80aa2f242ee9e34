/// @file room.cpp  Which connections of strangers make room for others.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <span>

#include "bmd_core_room.h"

namespace {

using Strangers = std::span<bmd_stranger>;

// Calls `visit` with what each source has; the strangers are in the order of their sources.
template <class Visit> void each_source(Strangers strangers, Visit visit)
{
	for(std::size_t at = 0; at < strangers.size();) {
		std::size_t end = at + 1;
		while(end < strangers.size() && strangers[end].source == strangers[at].source)
			++end;
		visit(strangers.subspan(at, end - at));
		at = end;
	}
}

std::size_t beyond(Strangers strangers, std::size_t share)
{
	std::size_t many = 0;
	each_source(strangers,
			[&](Strangers of_one) { many += of_one.size() > share ? of_one.size() - share : 0; });
	return many;
}

// The largest share of each source that takes `excess` away; 1 when none does.
std::size_t fair_share(Strangers strangers, std::size_t excess)
{
	std::size_t enough = 1;
	std::size_t too_much = strangers.size() + 1;
	while(too_much - enough > 1) {
		const std::size_t share = (enough + too_much) / 2;
		(beyond(strangers, share) >= excess ? enough : too_much) = share;
	}
	return enough;
}

} // namespace

size_t bmd_core_make_room(bmd_stranger *strangers, size_t count, size_t excess)
{
	if(excess == 0)
		return 0;
	const Strangers all(strangers, count);
	std::ranges::sort(all, [](const bmd_stranger &a, const bmd_stranger &b) {
		return a.source != b.source ? a.source < b.source : a.connection < b.connection;
	});
	const std::size_t share = fair_share(all, excess);
	std::size_t gone = 0;
	each_source(all, [&](Strangers of_one) {
		for(std::size_t i = 0; i + share < of_one.size(); ++i)
			std::swap(all[gone++], of_one[i]);
	});
	return gone;
}
