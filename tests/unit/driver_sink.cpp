/// @file driver_sink.cpp  A sink that keeps what a serial driver finds, for tests.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "driver_sink.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include "suites.hpp"

namespace bmd::test {

namespace {

std::string word(const Reading &r)
{
	std::ostringstream text;
	switch(r.kind) {
		case ReadingKind::value:
			text << r.value;
			break;
		case ReadingKind::invalid:
			text << '?';
			break;
		case ReadingKind::alarm_on:
			text << "on " << to_string(r.priority);
			break;
		case ReadingKind::alarm_off:
			text << "off";
			break;
	}
	return text.str();
}

} // namespace

std::vector<std::string> KeepingSink::words(std::string_view name) const
{
	std::vector<std::string> found;
	for(const auto &frame : frames)
		for(const auto &r : frame)
			if(metric_name(r.metric) == name)
				found.push_back(word(r));
	return found;
}

std::string KeepingSink::all() const
{
	std::string text;
	for(const auto &frame : frames) {
		for(const auto &r : frame)
			text += std::string(metric_name(r.metric)) + "=" + word(r) + " ";
		text += '\n';
	}
	return text;
}

bool KeepingSink::plausible() const
{
	return std::ranges::all_of(frames, [](const std::vector<Reading> &frame) {
		return std::ranges::all_of(frame, [](const Reading &r) {
			const auto *info = metric_info(r.metric);
			return r.kind != ReadingKind::value
				   || (info != nullptr && r.value >= info->min && r.value <= info->max);
		});
	});
}

std::vector<std::uint8_t> data_file(const std::string &name)
{
	std::ifstream in(bmd_test::data_path(name), std::ios::binary);
	return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::uint8_t> noise(std::size_t size, unsigned seed)
{
	std::mt19937 random(seed);
	std::uniform_int_distribution<int> any(0, 255);
	std::vector<std::uint8_t> bytes(size);
	for(auto &byte : bytes)
		byte = static_cast<std::uint8_t>(any(random));
	return bytes;
}

void push_split(Driver &driver, std::span<const std::uint8_t> bytes, std::size_t longest,
		unsigned seed, DriverSink &sink)
{
	std::mt19937 random(seed);
	std::uniform_int_distribution<std::size_t> size(1, longest);
	while(!bytes.empty()) {
		const auto piece = std::min(size(random), bytes.size());
		driver.push(bytes.first(piece), 0, sink);
		bytes = bytes.subspan(piece);
	}
}

} // namespace bmd::test
