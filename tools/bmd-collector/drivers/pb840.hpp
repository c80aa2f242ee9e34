/// @file pb840.hpp  Puritan Bennett 840 ventilator, SNDF replies.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// 9600 8N1.  The host sends "SNDF" CR, the ventilator answers
/// `MISCF,1225,169 ,` STX, 169 fields of fixed width that each end in a comma, ETX, CR.
/// 1225 is the number of bytes between STX and ETX.  There is no checksum, so a reply is taken only
/// when the counts, every comma, every character, every number and every alarm word are right.

#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "drivers/driver.hpp"
#include "drivers/pb840_fields.hpp"

namespace bmd {

class Pb840Driver final : public Driver
{
public:
	explicit Pb840Driver(const DriverOptions &options);

	void push(std::span<const std::uint8_t> bytes, TimeUs arrival, DriverSink &sink) override;
	std::optional<std::string_view> poll(TimeUs now) override;
	void quiet(DriverSink &sink) override;
	void reset(DriverSink &sink) override;

private:
	enum class Found
	{
		need_more,
		again
	};

	Found scan(TimeUs arrival, DriverSink &sink);
	void refuse(std::string_view reason, DriverSink &sink);
	void skip(std::size_t count);
	Found take_reply(std::string_view body, TimeUs arrival, DriverSink &sink);
	[[nodiscard]] bool read_body(std::string_view body, std::string &reason);
	[[nodiscard]] bool read_field(std::size_t index, std::string_view text, std::string &reason);
	[[nodiscard]] bool read_number(const MetricInfo &metric, std::string_view text);
	[[nodiscard]] bool read_alarm(const AlarmInfo &alarm, std::string_view word);
	[[nodiscard]] bool read_alert(const AlarmInfo &alarm, std::string_view word);
	[[nodiscard]] bool read_on_off(const AlarmInfo &alarm, std::string_view word);
	void add_alarm(const AlarmInfo &alarm, ReadingKind kind, Priority priority);

	/// What is known of the one field that shows its normal state by being blank.
	enum class Alert
	{
		off,
		on,
		blank_once
	};

	std::string buffer_;
	std::array<const MetricInfo *, pb840::field_count> metrics_{};
	std::array<const AlarmInfo *, pb840::field_count> alarms_{};
	std::vector<Reading> out_;
	std::uint64_t out_implausible_ = 0;
	Alert alert_ = Alert::off;
	Alert alert_next_ = Alert::off; ///< takes effect when the whole reply is sound
	DurationUs poll_interval_;
	TimeUs asked_ = 0;
	bool waiting_ = false; ///< a request has not been answered yet
	bool lost_ = false;    ///< bytes are being skipped; counted as one resync
};

} // namespace bmd
