/// @file filter_body.hpp  The body of a SUBSCRIBE that asks for some alerts only.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <vector>

#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd::watch {

/// As given on the command line; empty: not given.
struct FilterOptions
{
	std::string file;                ///< a whole DMP document
	std::vector<std::string> events; ///< "EVENT" or "EVENT @ DURATION", any of them
	std::string priority;            ///< these must all hold, beside one of the events
	std::string kind;
	std::string type;
	std::string group;
	std::string area;
	std::string rule;
	bool urgent_too = false; ///< what is urgent must fit as well

	[[nodiscard]] bool any() const noexcept;
};

/// The document, "" when nothing is to be left out.  Its ends are moments, so that it means the
/// same when the SUBSCRIBE is repeated.  Errors: malformed, with what cannot be understood.
[[nodiscard]] Result<std::string> filter_body(const FilterOptions &options, TimeUs now);

} // namespace bmd::watch
