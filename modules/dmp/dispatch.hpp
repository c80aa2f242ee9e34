/// @file dispatch.hpp  A DMPAction of a person to the DMPResponse it gets.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string_view>

#include "bmd/dmp.hpp"
#include "bmd/result.hpp"

namespace bmd::dmp {

/// What was done, for the statistics.
struct Tally
{
	unsigned controls = 0;
	unsigned queries = 0;
	unsigned refused = 0;
};

/// Carries out every entry in document order and gives each its response.  Errors: malformed, when
/// it is no DMPAction or asks for too much at once; then nothing is carried out.
[[nodiscard]] Result<Document> dispatch(
		std::string_view user, const Document &action, Tally &tally);

} // namespace bmd::dmp
