/// @file driver_fuzz.hpp  What the fuzz targets of the serial drivers have in common.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The first byte says in pieces of how many bytes the others arrive.

#pragma once

#include <cmath>
#include <span>
#include <string>

#include "bmd/metric.hpp"
#include "drivers/driver.hpp"
#include "fuzz.hpp"

namespace fuzz {

/// Writes down what a driver finds, and checks that each value is a possible one.
class DriverChecker final : public bmd::DriverSink
{
public:
	void readings(std::span<const bmd::Reading> readings, bmd::TimeUs) override
	{
		for(const bmd::Reading &reading : readings) {
			const bool value = reading.kind == bmd::ReadingKind::value;
			if(value)
				require(std::isfinite(reading.value), "a value is finite");
			found += std::to_string(reading.metric) + ":"
					 + std::to_string(static_cast<int>(reading.kind)) + "="
					 + std::to_string(value ? reading.value : 0.0) + " ";
		}
	}
	void damaged(std::string_view reason) override
	{
		require_reason(reason);
		found += "damaged ";
	}

	std::string found;
};

/// One driver, the same bytes at once and in pieces: it must find the same.
inline int driver(const char *name, const std::uint8_t *data, std::size_t size)
{
	if(size < 2)
		return 0;
	const std::size_t piece = 1U + data[0];
	const std::span<const std::uint8_t> bytes(data + 1, size - 1);
	bmd::DriverOptions options;
	options.extended = data[0] % 2 == 1;
	constexpr bmd::TimeUs at = 1'795'000'000 * bmd::second_us;

	DriverChecker whole;
	const auto one = bmd::make_driver(name, options);
	(*one)->push(bytes, at, whole);
	(*one)->quiet(whole);

	DriverChecker pieces;
	const auto other = bmd::make_driver(name, options);
	for(std::size_t from = 0; from < bytes.size(); from += piece) {
		(void)(*other)->poll(at);
		(*other)->push(bytes.subspan(from, std::min(piece, bytes.size() - from)), at, pieces);
	}
	(*other)->quiet(pieces);

	require(whole.found == pieces.found, "pieces of any size bring the same readings");
	const bmd::DriverStats &stats = (*one)->stats();
	require(stats.bytes == bytes.size(), "every byte is counted");
	require(stats.skipped <= stats.bytes, "no byte is skipped twice");
	return 0;
}

} // namespace fuzz
