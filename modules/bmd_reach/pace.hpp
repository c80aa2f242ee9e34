/// @file pace.hpp  How many texts a person gets: a storm of alerts is not a flood of texts.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: the time is passed in.

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "bmd/time.hpp"

namespace bmd::reach {

/// Texts of one minute, which begins with the first of them.
class Pace
{
public:
	/// May this person get one more?  Otherwise it counts as held back.
	[[nodiscard]] bool may(const std::string &person, long most, TimeUs now);

	struct Held
	{
		std::string person;
		std::size_t texts = 0;
	};
	/// Whose minute is over, with what was held back in it; each once.
	[[nodiscard]] std::vector<Held> ended(TimeUs now);

private:
	struct Minute
	{
		TimeUs begun = 0;
		long texts = 0;
		std::size_t held = 0;
	};
	std::map<std::string, Minute> minutes_;
};

} // namespace bmd::reach
