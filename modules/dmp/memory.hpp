/// @file memory.hpp  What people asked for and answered a short time ago, in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Plain records, all zero at the beginning; of no use after a restart, and gone then.  Times are
/// those of one monotonic clock, in microseconds, and are passed in.  Where there is no room what
/// was not used for longest goes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bmd/alert.hpp"
#include "bmd/reply.hpp"
#include "bmd/response.hpp"

namespace bmd::dmp {

/// An answer of one person to one alert, and the words to name that alert with when it is over.
struct Lately
{
	TimeUs at = 0;
	Act act = Act::accept;
	Outcome outcome = Outcome::none;
	bool done = false; ///< carried out; false: not legal then
	bool bare = false; ///< by a text without a code: the same text again may mean another alert
	char id[40] = {};
	char code[8] = {};
	char priority[8] = {};
	char metric[32] = {};
	char condition[16] = {};
	char serial[32] = {};
};

/// How often one person may ask, each minute.
enum class Budget : std::uint8_t
{
	requests, ///< 300 of any kind
	texts     ///< 10 that answer no alert: two machines that talk to each other come to an end
};

/// Identity of a request (RFC 3261, 8.2.2.2), whatever transaction it comes in, its body: a
/// terminal that numbers carelessly means something else by another body, and where it came from:
/// who has recorded it elsewhere is to prove the password.
struct RequestName
{
	std::string_view user; ///< of From
	std::string_view tag;  ///< of From
	std::string_view call_id;
	std::string_view cseq; ///< the number
	std::string_view body;
	std::string_view source; ///< address and port
};

/// The same request may come again for that long after it was answered: 64 times T1 (RFC 3261,
/// 17.1.2.2).
inline constexpr DurationUs request_window = 32 * second_us;

/// All of it.  Thread-safe and process-safe.
class Memory
{
public:
	/// Bytes that place() wants.
	[[nodiscard]] static std::size_t bytes() noexcept;
	/// Makes one of `bytes()` zeros; before the fork.
	[[nodiscard]] static Memory *place(void *zeros) noexcept;

	/// Takes one from the person's budget.  0, or how many seconds to wait until there is one
	/// again.
	[[nodiscard]] unsigned take(std::string_view user, Budget budget, TimeUs now) noexcept;

	/// Keeps the last four of a person.
	void remember(std::string_view user, const Lately &answer) noexcept;
	/// Those since `since`, newest first.
	[[nodiscard]] std::vector<Lately> answers(std::string_view user, TimeUs since);

	void remember(const RequestName &request, int status, TimeUs now) noexcept;
	/// The status that the same request was answered with within the window; 0: it is new.
	[[nodiscard]] int answered(const RequestName &request, TimeUs now) noexcept;

private:
	Memory() = default;
};

} // namespace bmd::dmp
