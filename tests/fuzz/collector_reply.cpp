/// @file collector_reply.cpp  Fuzz target: what the collector takes for the server's answer.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The first byte chooses the HTTP status.

#include <array>

#include "fuzz.hpp"
#include "rpc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	static constexpr std::array<long, 8> statuses{200, 400, 404, 409, 412, 413, 500, 503};
	if(size == 0)
		return 0;
	const long status = statuses[data[0] % statuses.size()];
	const bmd::Reply reply = bmd::read_reply(status, fuzz::text(data + 1, size - 1));
	fuzz::require(reply.accepted >= 0, "no reply takes readings back");
	if(reply.verdict == bmd::Reply::Verdict::accepted)
		fuzz::require(status == 200, "only 200 takes a batch: it is deleted at home");
	return 0;
}
