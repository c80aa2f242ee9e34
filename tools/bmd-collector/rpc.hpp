/// @file rpc.hpp  The bmd.report call: its request and its reply, as JSON-RPC 2.0.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no network.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bmd/result.hpp"

namespace bmd {

/// What the server said to one batch.
struct Reply
{
	enum class Verdict
	{
		accepted,  ///< taken now or seen before
		too_large, ///< it can never be taken: nothing of it was looked at
		refused,   ///< nothing of it is any good: never send it again
		outdated,  ///< the epoch is not possible: the spool needs a new one
		expects,   ///< not its turn: send `expected`
		busy,      ///< keep it and send it again later
		failed     ///< not understood, or an error of the server: send it again later
	};

	Verdict verdict = Verdict::failed;
	std::int64_t accepted = 0; ///< readings taken
	std::size_t refused = 0;   ///< readings refused, of a batch that was accepted
	bool duplicate = false;    ///< the server had seen this batch
	bool has_durable = false;  ///< `durable` holds
	std::uint64_t durable = 0; ///< everything up to this number is safe at the server
	// Of a fault; 0: the server did not say.
	std::uint64_t expected = 0;    ///< number whose turn it is
	std::uint64_t judged = 0;      ///< every batch up to here is judged, stored or not
	std::uint64_t known_epoch = 0; ///< of an outdated one: the latest the server knows
	std::int64_t server_clock = 0; ///< of an outdated one: microseconds since 1970
	std::string reason;            ///< for failed and busy; no reading in it
};

/// All four parameters are strings: numbers beyond 2^53 do not survive every JSON reader.
/// `first` < `seq` says that the numbers from `first` on to the one before `seq` do not come.
[[nodiscard]] std::string make_request(std::string_view collector, std::uint64_t epoch,
		std::uint64_t first, std::uint64_t seq, std::string_view text);

/// Reads the body of an HTTP reply with `status`.  Never throws.
[[nodiscard]] Reply read_reply(long status, std::string_view body);

} // namespace bmd
