/// @file report.hpp  The text a collector reports readings with, and its reader.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// One line a device and moment, lines end with '\n' (the last may lack it):
///
///     SERIAL [TIME] ITEM...
///
/// TIME  microseconds since 1970 UTC, digits only, 10 to 19 of them; absent means arrival
/// ITEM  METRIC=NUMBER          a value in the metric's unit of the catalogue
///       METRIC=?               the device has no valid value (probe off, sensor fault)
///       !ALARM=LEVEL           the device's own alarm: off | on | low | medium | high
///
/// Words are separated by single or several spaces.  SERIAL is 1 to 31 of [A-Za-z0-9._-].

#pragma once

#include <string>
#include <string_view>

#include "bmd/metric.hpp"
#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd {

/// What one item says.
enum class ReadingKind : std::uint8_t
{
	value = 1,    ///< `value` holds
	invalid = 2,  ///< no valid value
	alarm_on = 3, ///< device alarm; `priority` holds
	alarm_off = 4
};

/// One item of a report, or one result of a serial driver.
struct Reading
{
	MetricId metric = 0; ///< of a metric, or of an alarm for alarm_on and alarm_off
	ReadingKind kind = ReadingKind::value;
	Priority priority = Priority::high;
	double value = 0.0;
};

/// Longest serial number, in bytes.
inline constexpr std::size_t max_serial = 31;

[[nodiscard]] bool valid_serial(std::string_view serial) noexcept;

/// Reads a decimal number the way the report does: no hex, no "inf", no "nan", no spaces.
/// Errors: malformed, "'abc' is not a number", "'nan' is not a finite number".
[[nodiscard]] Result<double> parse_number(std::string_view text);

/// Receives what read_report() finds, in order.
class ReportSink
{
public:
	virtual ~ReportSink() = default;
	/// A new line begins: device and time (0 when absent) of the items that follow.
	virtual void line(std::size_t number, std::string_view serial, TimeUs time) = 0;
	/// One well-formed item whose value lies in the plausible range.
	virtual void item(const Reading &reading) = 0;
	/// Something refused: `what` is the item or line in question, `reason` says why.
	/// A line whose serial or time is wrong is refused whole, an item alone.
	virtual void refused(std::size_t number, std::string_view what, std::string_view reason) = 0;
};

/// Reads a whole report.  Never throws on input; never guesses.
void read_report(std::string_view text, ReportSink &sink);

/// Writes lines that read_report() reads back.  Doubles come back the same.
class ReportWriter
{
public:
	void begin(std::string_view serial, TimeUs time);
	void add(const Reading &reading);
	[[nodiscard]] const std::string &text() const noexcept { return text_; }
	void clear() noexcept { text_.clear(); }

private:
	std::string text_;
};

} // namespace bmd
