/// @file sdp_offer.cpp  Fuzz target: the session description that a terminal offers in a call.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/invite.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const std::string_view offer = fuzz::text(data, size);
	const bmd::SdpHost host{"192.0.2.1", false, "1"};
	const auto answer = bmd::sdp_answer(offer, host);
	if(!answer) {
		fuzz::require_reason(answer.error().reason);
	} else {
		fuzz::require(answer->starts_with("v=0\r\n"), "an answer is a session description");
		fuzz::require(
				answer->find("m=audio") != std::string::npos, "an answer has an audio stream");
		fuzz::require(
				answer->size() <= 16 * (size + 256), "an answer is about as long as its offer");
	}
	const std::string line = bmd::header_line(offer, 60);
	fuzz::require(line.size() <= 60, "a header line ends where it must");
	for(const char c : line)
		fuzz::require(c != '\r' && c != '\n', "a header line is one line");
	const std::string quoted = bmd::quoted_string(offer, 60);
	fuzz::require(quoted.size() >= 2 && quoted.front() == '"' && quoted.back() == '"',
			"a quoted string is quoted");
	return 0;
}
