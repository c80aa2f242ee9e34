/// @file driver.hpp  What every serial driver is: bytes of one device in, readings out.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Drivers do no I/O, have no clock and never log: time is passed in, faults go to the sink.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/report.hpp"
#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd {

/// Takes what a driver finds.
class DriverSink
{
public:
	virtual ~DriverSink() = default;
	/// All readings of one sound frame; `time` is the arrival of its last byte.
	virtual void readings(std::span<const Reading> readings, TimeUs time) = 0;
	/// One frame was refused.  `reason` names the field or byte in question, never its value.
	virtual void damaged(std::string_view reason) = 0;
};

/// Counters of one driver since it was made.
struct DriverStats
{
	std::uint64_t bytes = 0;       ///< received
	std::uint64_t frames = 0;      ///< sound frames of the protocol
	std::uint64_t damaged = 0;     ///< frames refused: checksum, count, field, cut short
	std::uint64_t resyncs = 0;     ///< times the frame boundary was lost and looked for again
	std::uint64_t skipped = 0;     ///< bytes that belong to no frame
	std::uint64_t implausible = 0; ///< values outside the catalogue's range, reported as invalid
	std::uint64_t polls = 0;       ///< requests sent to the device
	std::uint64_t unanswered = 0;  ///< requests without a reply in time
};

/// What may be chosen for a port.
struct DriverOptions
{
	bool extended = false;                    ///< all averages of an oximeter, not only two
	DurationUs poll_interval = 2 * second_us; ///< of devices that answer requests
};

class Driver
{
public:
	virtual ~Driver() = default;
	Driver(const Driver &) = delete;
	Driver &operator=(const Driver &) = delete;

	/// Takes received bytes, in pieces of any size, and their time of arrival.
	virtual void push(std::span<const std::uint8_t> bytes, TimeUs arrival, DriverSink &sink) = 0;

	/// Bytes to send to the device now, if any.  Call several times a second; `now` is monotonic.
	virtual std::optional<std::string_view> poll(TimeUs /*now*/) { return std::nullopt; }

	/// Nothing has come for a second in which the line was watched: no frame of any device pauses
	/// so long, what was begun never ends.  Not judged by times of arrival: clocks are set, and a
	/// process that stood still finds bytes that came in time.
	virtual void quiet(DriverSink &sink) { reset(sink); }

	/// The line was closed and opened again, or the recording ended: forget a frame begun.
	virtual void reset(DriverSink &sink) = 0;

	[[nodiscard]] const DriverStats &stats() const noexcept { return stats_; }

protected:
	Driver() = default;
	DriverStats stats_;
};

/// One kind of device.  `baud` is the device's default; all are 8 data bits, no parity, 1 stop bit.
struct DriverInfo
{
	std::string_view name;
	unsigned baud;
	std::string_view text;
};

[[nodiscard]] std::span<const DriverInfo> drivers() noexcept;
[[nodiscard]] const DriverInfo *find_driver(std::string_view name) noexcept;

/// Errors: malformed, with the names there are, when `name` is none of them.
[[nodiscard]] Result<std::unique_ptr<Driver>> make_driver(
		std::string_view name, const DriverOptions &options);

/// Adds a value in the metric's unit; outside the plausible range it becomes `invalid` and counts.
void add_value(
		std::vector<Reading> &out, const MetricInfo &metric, double value, DriverStats &stats);

} // namespace bmd
