/// @file driver_sink.hpp  A sink that keeps what a serial driver finds, for tests.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "drivers/driver.hpp"

namespace bmd::test {

class KeepingSink final : public DriverSink
{
public:
	void readings(std::span<const Reading> readings, TimeUs time) override
	{
		frames.emplace_back(readings.begin(), readings.end());
		times.push_back(time);
	}
	void damaged(std::string_view reason) override { reasons.emplace_back(reason); }

	/// The words of one metric or alarm in all frames: "97", "?", "on high", "off".
	[[nodiscard]] std::vector<std::string> words(std::string_view name) const;
	/// Everything in one text, to compare runs.
	[[nodiscard]] std::string all() const;
	/// Are all values in their plausible range?
	[[nodiscard]] bool plausible() const;

	std::vector<std::vector<Reading>> frames;
	std::vector<TimeUs> times;
	std::vector<std::string> reasons;
};

/// Contents of a file in tests/data; empty when there is none.
[[nodiscard]] std::vector<std::uint8_t> data_file(const std::string &name);

/// Bytes without meaning; the same for the same seed.
[[nodiscard]] std::vector<std::uint8_t> noise(std::size_t size, unsigned seed);

/// Pushes in pieces of random sizes from 1 to `longest`.
void push_split(Driver &driver, std::span<const std::uint8_t> bytes, std::size_t longest,
		unsigned seed, DriverSink &sink);

} // namespace bmd::test
