/// @file call_queue.hpp  Who is to be called next, and of what.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Pure, of one process.  Nobody is called twice at the same time: what comes meanwhile waits, and
/// one call tells all of it.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/alert.hpp"

namespace bmd::reach {

/// An alert that somebody is to be told of by a call.
struct CallAlert
{
	std::string id;
	std::uint32_t revision = 0; ///< of the alert as it is told
	Priority priority = Priority::low;
	bool again = false; ///< a call that told it has just been refused for its body
};

class CallQueue
{
public:
	/// This person is to be called because of this alert.  One that waits already is the same.
	void ask(std::string_view person, const CallAlert &alert);

	/// Who is to be called now: of those who are not being called the one with the most urgent
	/// alert; of equals the one who has waited longest.  Nothing when nobody is.
	[[nodiscard]] std::optional<std::string> next() const;

	/// What waits for this person, the most urgent first, of equals the one asked first.
	[[nodiscard]] std::vector<CallAlert> waiting(std::string_view person) const;

	/// The same; it no longer waits, and the person is being called.
	std::vector<CallAlert> take(std::string_view person);

	/// How urgent the call to this person is.
	void calling(std::string_view person, Priority priority);

	/// The call to this person is over.
	void over(std::string_view person);

	/// Does something more urgent wait than the call that is being made tells?
	[[nodiscard]] bool overtaken(std::string_view person) const;

private:
	struct Person
	{
		std::vector<CallAlert> waiting; ///< in the order of asking
		std::uint64_t since = 0;        ///< number of the first that waits
		std::optional<Priority> call;   ///< being made
	};
	[[nodiscard]] static Priority urgency(const Person &person) noexcept;

	std::map<std::string, Person, std::less<>> people_;
	std::uint64_t asked_ = 0;
};

} // namespace bmd::reach
