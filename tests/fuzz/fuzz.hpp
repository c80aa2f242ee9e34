/// @file fuzz.hpp  What the fuzz targets share.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A target takes any bytes and checks what its parser promises; it has no network and,
/// but for that of batches, no state from one input to the next.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// libFuzzer calls it with each input; it returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace fuzz {

/// The input as text.  It is not zero-terminated, so that reading past it is found.
inline std::string_view text(const std::uint8_t *data, std::size_t size)
{
	return {reinterpret_cast<const char *>(data), size};
}

/// Ends the run, which keeps the input, unless what the parser promises holds.
inline void require(bool holds, const char *promise)
{
	if(holds)
		return;
	std::fprintf(stderr, "the promise is broken: %s\n", promise);
	std::abort();
}

/// A reason that stands in an answer or in a log: one line of printable ASCII or UTF-8, not empty.
inline void require_reason(std::string_view reason)
{
	require(!reason.empty(), "a refusal has a reason");
	for(const char c : reason)
		require(c != '\n' && c != '\r' && c != '\0', "a reason is one line");
}

} // namespace fuzz
