/// @file text_reply.cpp  Fuzz target: plain text by which a person answers an alert.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <string>

#include "bmd/code.hpp"
#include "bmd/reply.hpp"
#include "bmd/words.hpp"
#include "fuzz.hpp"

namespace {

using fuzz::require;

void words(std::string_view text)
{
	constexpr std::size_t most = 40;
	const std::string_view cut = bmd::cut_words(text, most);
	require(cut.size() <= most && text.starts_with(cut), "what is cut is a beginning");
	std::string mended(text);
	std::replace(mended.begin(), mended.end(), '\0', ' ');
	bmd::mend_words(mended.data());
	require(bmd::valid_words(mended, mended.size()), "mended words are valid");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const std::string_view text = fuzz::text(data, size);
	const bmd::Reply reply = bmd::parse_reply(text);
	if(reply.kind == bmd::Reply::Kind::unclear)
		fuzz::require_reason(reply.wrong);
	require(reply.code.empty() || bmd::parse_code(reply.code) != 0, "a code that is given is one");
	if(reply.kind == bmd::Reply::Kind::answer && reply.act == bmd::Act::silence)
		require(reply.seconds >= 0, "no silence ends before it begins");
	require(reply.page >= 1, "pages are counted from 1");
	words(text);
	return 0;
}
