/// @file winfo.cpp  Fuzz target: documents of watcher information, as a terminal reads them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/winfo.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const auto read = bmd::read_winfo(fuzz::text(data, size));
	if(!read) {
		fuzz::require_reason(read.error().reason);
		return 0;
	}
	const std::string text = bmd::write_winfo(*read);
	const auto again = bmd::read_winfo(text);
	fuzz::require(again.ok(), "what was written is read");
	fuzz::require(bmd::write_winfo(*again) == text, "what was read is written the same");
	const auto numbered = bmd::read_winfo(bmd::renumber_winfo(text, 4'294'967'295U));
	fuzz::require(numbered.ok() && numbered->version == 4'294'967'295U, "a version is replaced");
	return 0;
}
