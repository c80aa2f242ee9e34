/// @file numbering.cpp  What the number of a batch says about what to do with it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "numbering.hpp"

#include <charconv>

namespace bmd {

namespace {

constexpr std::string_view absent = "!absent ";

} // namespace

Numbered read_absence(std::string_view text, std::int64_t seq) noexcept
{
	const Numbered plain{seq, text};
	if(!text.starts_with(absent))
		return plain;
	const std::string_view line = text.substr(0, text.find('\n'));
	const std::string_view number = line.substr(absent.size());
	std::int64_t first = 0;
	const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), first);
	if(error != std::errc{} || end != number.data() + number.size() || first < 1 || first > seq)
		return plain;
	text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
	return {first, text};
}

Turn turn_of(const Progress &progress, std::int64_t first, std::int64_t seq, bool empty) noexcept
{
	if(seq <= progress.accepted)
		return Turn::duplicate;
	if(empty)
		return Turn::gap;
	if(first <= progress.accepted + 1)
		return seq <= progress.judged ? Turn::next_judged : Turn::next;
	const bool waiting = progress.judged > progress.accepted;
	if(waiting && first <= progress.judged + 1 && seq > progress.judged)
		return Turn::ahead;
	return Turn::gap;
}

std::string with_numbers(std::string_view reason, const Progress &progress)
{
	const std::string numbers = "; expected=" + std::to_string(progress.accepted + 1)
								+ " judged=" + std::to_string(progress.judged)
								+ " durable=" + std::to_string(progress.durable);
	return std::string(reason.substr(0, longest_fault - numbers.size())) + numbers;
}

std::string refuse_epoch(std::int64_t epoch, std::int64_t known, TimeUs now)
{
	std::string why;
	if(epoch < known)
		why = "is older than one known of this collector";
	else if(epoch > now + epoch_ahead)
		why = "is more than a day ahead of the server's clock";
	else
		return {};
	return "epoch " + std::to_string(epoch) + " " + why + "; known=" + std::to_string(known)
		   + " clock=" + std::to_string(now);
}

} // namespace bmd
