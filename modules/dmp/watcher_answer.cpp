/// @file watcher_answer.cpp  Somebody who answers for a feed approves or refuses a watcher.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "watcher_answer.hpp"

#include <array>

#include "book.hpp"

namespace bmd::dmp {

WatcherAnswer answer_watcher(std::string_view user, std::string_view device, const Control &control)
{
	const auto read = read_watcher_control(control);
	if(const auto *const refusal = std::get_if<Refusal>(&read))
		return {refusal->code, refusal->reason,
				control.arguments.empty() ? "" : control.arguments.front()};
	const auto &wanted = std::get<WatcherControl>(read);
	const std::string person(wanted.person);
	if(device != any_device && wanted.feed != "dev." + std::string(device))
		return {ResultCode::bad_value, "the feed is not that of the device", person};
	std::array<char, 256> reason{};
	const int status = book().answer_watcher(text_of(user), text_of(wanted.person),
			text_of(wanted.feed), wanted.approved ? 1 : 0, reason.data(), reason.size());
	return {result_of(status), reason.data(), person};
}

} // namespace bmd::dmp
