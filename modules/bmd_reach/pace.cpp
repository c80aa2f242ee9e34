/// @file pace.cpp  How many texts a person gets.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "pace.hpp"

namespace bmd::reach {

namespace {

constexpr DurationUs minute = 60 * second_us;

} // namespace

bool Pace::may(const std::string &person, long most, TimeUs now)
{
	// of one whose minute is over ended() has still to tell
	const auto [at, anew] = minutes_.try_emplace(person, Minute{now, 0, 0});
	Minute &current = at->second;
	if(!anew && current.held == 0 && now - current.begun >= minute)
		current = {now, 0, 0};
	if(current.texts >= most) {
		++current.held;
		return false;
	}
	++current.texts;
	return true;
}

std::vector<Pace::Held> Pace::ended(TimeUs now)
{
	std::vector<Held> held;
	for(auto at = minutes_.begin(); at != minutes_.end();) {
		if(now - at->second.begun < minute) {
			++at;
			continue;
		}
		if(at->second.held > 0)
			held.push_back({at->first, at->second.held});
		at = minutes_.erase(at);
	}
	return held;
}

} // namespace bmd::reach
