/// @file dmp_control.hpp  The words of a DMP Control that answers an alert, and of its response.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Does not know who may answer nor what is legal now: see response.hpp for that.
///
///     accept ALERT [WHY]              reject ALERT [WHY]       acknowledge ALERT [WHY]
///     resolve ALERT actionable|false [WHY]                     silence ALERT SECONDS [WHY]
///
/// and of one that answers who waits for a feed:
///
///     approve USER FEED               refuse USER FEED

#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "bmd/alert.hpp"
#include "bmd/dmp.hpp"
#include "bmd/response.hpp"

namespace bmd::dmp {

/// Most entries that one MESSAGE may carry.
inline constexpr std::size_t max_message_entries = 64;

/// Name of a device that stands for whichever device the alert is of.
inline constexpr std::string_view any_device = "*";

/// A Control on an alert; texts point into the Control.
struct AlertControl
{
	Act act = Act::accept;
	std::string_view alert; ///< id or short code, as given
	Outcome outcome = Outcome::none;
	long seconds = 0; ///< silence
	std::string_view why;
};

/// What is not carried out, and why: one line of ASCII, without patient data.
struct Refusal
{
	ResultCode code = ResultCode::bad_value;
	std::string reason;
};

/// Refused: an action that is none of these (unknown_action; not_supported for those of the profile
/// that are not served yet), wrong arguments (bad_value, saying which).
[[nodiscard]] std::variant<AlertControl, Refusal> read_alert_control(const Control &control);

/// A Control on somebody who waits for approval; texts point into the Control.
struct WatcherControl
{
	bool approved = false;
	std::string_view person;
	std::string_view feed; ///< user part of its URI
};

[[nodiscard]] bool is_watcher_control(const Control &control) noexcept;
/// Refused: wrong arguments (bad_value, saying which).
[[nodiscard]] std::variant<WatcherControl, Refusal> read_watcher_control(const Control &control);

/// The result of an answer with one of its statuses: 200, 202, 400, 403, 404, 409; else:
/// failed.
[[nodiscard]] ResultCode result_of(int status) noexcept;

/// The response to one Control: OutArguments "alert" and "reason" where they are not empty.
[[nodiscard]] ControlResponse control_response(
		std::string_view action, std::string_view alert, ResultCode code, std::string_view reason);

/// Reads it back: of the first item.
struct ControlResult
{
	std::string action;
	std::string alert;
	std::string result; ///< as it stands in ResultCode, such as "409 Conflict"
	int status = 0;     ///< the number at its beginning; 0: none
	std::string reason;
};
[[nodiscard]] ControlResult read_control_response(const ControlResponse &response);

} // namespace bmd::dmp
