/// @file alert.hpp  The words an alert is made of, and the alert as people and terminals see it.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Priorities, kinds and latching are those of IEC 60601-1-8.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/time.hpp"

namespace bmd {

enum class Priority : std::uint8_t
{
	low = 1,
	medium = 2,
	high = 3
};

enum class AlertKind : std::uint8_t
{
	physiological = 1,
	technical = 2
};

/// Why there is an alert.
enum class Condition : std::uint8_t
{
	low = 1,     ///< value below its low alarm limit
	high = 2,    ///< value above its high alarm limit
	invalid = 3, ///< device says that it has no valid value (probe off, sensor fault)
	stale = 4,   ///< nothing heard of the device for longer than its type allows
	device = 5,  ///< the device raised an alarm of its own
	storm = 6,   ///< many devices fell silent of one cause; see storm.hpp
	withheld = 7 ///< documents for a technician cannot be encrypted, and are not sent
};

/// Is an alert of this condition one of no device?
[[nodiscard]] constexpr bool is_of_no_device(Condition condition) noexcept
{
	return condition == Condition::storm || condition == Condition::withheld;
}

/// active: the condition holds.  latched: it has gone, the alert stays until acknowledged.
/// cleared: it is over.
enum class AlertState : std::uint8_t
{
	active = 1,
	latched = 2,
	cleared = 3
};

/// What people have made of an alert; beside its state.
enum class Response : std::uint8_t
{
	none = 0,
	delivered = 1,   ///< a terminal has taken it, nobody has answered
	accepted = 2,    ///< somebody sees to it
	rejected = 3,    ///< who was asked does not
	escalated = 4,   ///< the next ones have been called
	acknowledged = 5 ///< somebody has dealt with it: it closes when its condition has gone
};

/// Why an alert is told, but not urgently, and nobody is called for it.
enum class Suppression : std::uint8_t
{
	none = 0,
	maintenance = 1, ///< the device is being worked on
	inhibition = 2,  ///< nothing is heard of the device, which has an alert of its own
	storm = 3        ///< it is one of many of one cause, which have an alert together
};

/// What an alert turned out to be.
enum class Outcome : std::uint8_t
{
	none = 0,
	actionable = 1,
	false_alarm = 2
};

[[nodiscard]] std::string_view to_string(Priority) noexcept;
[[nodiscard]] std::string_view to_string(AlertKind) noexcept;
[[nodiscard]] std::string_view to_string(Condition) noexcept;
[[nodiscard]] std::string_view to_string(AlertState) noexcept;
[[nodiscard]] std::string_view to_string(Response) noexcept;
[[nodiscard]] std::string_view to_string(Suppression) noexcept;
/// "none", "actionable" or "false".
[[nodiscard]] std::string_view to_string(Outcome) noexcept;
[[nodiscard]] std::optional<Priority> parse_priority(std::string_view) noexcept;
[[nodiscard]] std::optional<AlertKind> parse_kind(std::string_view) noexcept;
[[nodiscard]] std::optional<Condition> parse_condition(std::string_view) noexcept;
[[nodiscard]] std::optional<AlertState> parse_state(std::string_view) noexcept;
[[nodiscard]] std::optional<Response> parse_response(std::string_view) noexcept;
[[nodiscard]] std::optional<Suppression> parse_suppression(std::string_view) noexcept;
[[nodiscard]] std::optional<Outcome> parse_outcome(std::string_view) noexcept;

/// One of the devices that a storm tells of.
struct StormDevice
{
	std::string serial;
	std::string location;
	std::string patient_name;

	bool operator==(const StormDevice &) const = default;
};

/// Everything a technician is told of one alert.  Plain copies: owns its text.
struct AlertView
{
	std::string id;          ///< UUID, lower case with dashes
	std::string serial;      ///< device serial number
	std::string device_type; ///< name of the device type
	std::string metric;      ///< short name of the metric or of the device's alarm
	Condition condition = Condition::low;
	AlertKind kind = AlertKind::physiological;
	Priority priority = Priority::high;
	AlertState state = AlertState::active;
	std::optional<double> value; ///< the value that is wrong; absent when there is none
	std::optional<double> limit; ///< the limit it passed; absent when there is none
	std::string unit;            ///< UCUM
	std::string location;
	std::string patient_name;
	std::string patient_address;
	TimeUs measured_at = 0; ///< last byte of the frame that carried the value (collector's clock)
	TimeUs arrived_at = 0;  ///< that reading's arrival at the server
	TimeUs onset_at = 0;    ///< when the condition began, by the readings' times
	TimeUs raised_at = 0;   ///< when the server raised the alert
	TimeUs changed_at = 0;  ///< last change of state
	TimeUs cleared_at = 0;  ///< 0 while not cleared
	std::uint32_t revision = 0; ///< grows with every change of this alert
	std::string code;           ///< short code to answer with; see code.hpp
	Response response = Response::none;
	std::string answered_by;   ///< who accepted, rejected or acknowledged it; empty: nobody
	TimeUs answered_at = 0;    ///< since when the response stands; 0 while there is none
	std::uint32_t step = 0;    ///< of the escalation, from 1; 0: not escalated
	TimeUs silenced_until = 0; ///< 0: not silenced
	Suppression suppressed = Suppression::none;
	std::uint32_t mutes = 0;       ///< of a stale alert: alerts of the device that it inhibits
	std::string cause;             ///< of a storm: "collector NAME" or "site"
	std::uint32_t devices = 0;     ///< of a storm: devices that are silent, of those of the feed
	std::vector<StormDevice> some; ///< of these the most urgent
	std::optional<Priority> priority_before; ///< before its last rise or fall; absent: none
	Outcome outcome = Outcome::none;
	TimeUs closed_at = 0; ///< when it was over for good; 0: it may go on, or come back
	/// Who took it, and who answered or queried it, as kamcmd shows them; only in answers to a
	/// Query.
	std::string delivered_to;
	std::string seen_by;
};

} // namespace bmd
