/// @file dmp.hpp  Device Message Protocol (application/dmp): the document, its reader and its
/// writer. SPDX-License-Identifier: GPL-2.0-or-later Source: draft-khurana-dmp-appliances-00 with
/// this project's profile (xsd/dmp.xsd, xsd/dmp-bmd.xsd). Does not say what a command does: see
/// dmp_subscribe.hpp for the words of a Subscribe, dmp_feed.hpp for the alert feed.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bmd/alert.hpp"
#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd::dmp {

inline constexpr std::size_t max_bytes = 256 * 1024; ///< of a document that is read
inline constexpr std::size_t max_depth = 16;         ///< of elements; the root has depth 1
inline constexpr std::size_t max_actions = 1024;     ///< commands or responses in one document

/// MIME type of the documents.
inline constexpr std::string_view mime_type = "application/dmp";

/// Outcome of a command.  The number and the words on the wire are those of result_text().
enum class ResultCode : std::uint8_t
{
	ok,               ///< 200 OK
	accepted,         ///< 202 Accepted
	bad_value,        ///< 400 Bad value
	forbidden,        ///< 403 Forbidden
	unknown_device,   ///< 404 Unknown device
	unknown_variable, ///< 404 Unknown variable
	unknown_action,   ///< 404 Unknown action
	unknown_alert,    ///< 404 Unknown alert
	no_answer,        ///< 408 No answer
	conflict,         ///< 409 Conflict
	too_long,         ///< 413 Ask for less, or by TCP
	failed,           ///< 500 Server error
	not_supported     ///< 501 Not supported
};

/// The text of a ResultCode element, such as "404 Unknown device".
[[nodiscard]] std::string_view result_text(ResultCode code) noexcept;
/// The number at its start: 200 to 501.
[[nodiscard]] int result_number(ResultCode code) noexcept;
/// Exact text only; nullopt for any other.
[[nodiscard]] std::optional<ResultCode> parse_result_code(std::string_view text) noexcept;

/// One action on a device; controls of a device run in document order.
struct Control
{
	std::string action;
	std::vector<std::string> arguments;
	bool operator==(const Control &) const = default;
};

struct Query
{
	std::vector<std::string> variables;
	bool operator==(const Query &) const = default;
};

/// What to notify.  `events` and `duration` are text here: parse_event() and parse_duration() read
/// it.
struct Subscribe
{
	struct Item
	{
		std::string variable;
		std::vector<std::string> events; ///< none: every change
		std::string duration;
		bool operator==(const Item &) const = default;
	};
	std::vector<Item> items;
	bool operator==(const Subscribe &) const = default;
};

struct ControlResponse
{
	struct Out
	{
		std::string argument;
		std::string value;
		bool operator==(const Out &) const = default;
	};
	struct Item
	{
		std::string action;
		std::vector<Out> outs;
		std::vector<std::string> results;
		bool operator==(const Item &) const = default;
	};
	std::vector<Item> items;
	bool operator==(const ControlResponse &) const = default;
};

/// What a QueryResponse says of a metric beside its value (element bmd:reading).  Texts as they
/// stand there; empty: absent.
struct MetricState
{
	std::string unit;     ///< UCUM
	std::string state;    ///< ok, low, high, invalid, alarm
	std::string measured; ///< RFC 3339
	std::string low;      ///< alarm limits in force
	std::string high;
	bool operator==(const MetricState &) const = default;
};

struct QueryResponse
{
	struct Item
	{
		std::string variable;
		std::vector<std::string> values; ///< at least one
		std::vector<std::string> results;
		std::optional<MetricState> reading = std::nullopt;
		bool operator==(const Item &) const = default;
	};
	std::vector<Item> items;
	bool operator==(const QueryResponse &) const = default;
};

/// `alert` is the bmd:alert element.  It does not carry serial, metric, value and condition, which
/// stand in Device, Variable, Value and Event: write() ignores them there, parse() leaves their
/// defaults.
struct Notify
{
	struct Item
	{
		std::string variable;
		std::vector<std::string> values; ///< at least one
		std::vector<std::string> events;
		std::vector<std::string> results;
		bool operator==(const Item &) const = default;
	};
	std::vector<Item> items;
	std::optional<AlertView> alert;
};

/// The first three stand in a DMPAction, the others in a DMPResponse.
using Entry = std::variant<Control, Query, Subscribe, ControlResponse, QueryResponse, Notify>;

/// A device, or a class of devices, and what is said to or by it, in document order.
struct Device
{
	std::string name;
	std::vector<Entry> entries; ///< at least one
};

enum class Root : std::uint8_t
{
	action,  ///< DMPAction
	response ///< DMPResponse
};

/// Attributes of the root in namespace urn:bmd:dmp:1; all may be absent.
struct Attributes
{
	std::optional<std::uint32_t> version;
	std::optional<std::string> feed;
	std::optional<bool> full; ///< state="full" is true, state="partial" false
	std::optional<TimeUs> at;
	std::uint32_t more = 0; ///< open alerts that follow in later documents; where there is no feed:
							///< documents that follow, of which `version` is the number of this one
	std::optional<std::uint32_t> counted; ///< open alerts that are not shown, only counted
	std::optional<std::uint32_t>
			filtered;             ///< open alerts that the subscription's filter leaves out
	bool urgent_filtered = false; ///< of a filter: urgent="filtered", what is urgent must fit, too
};

/// One document.  Empty `devices` is legal in a DMPResponse only: a feed without an open alert.
struct Document
{
	Root root = Root::response;
	Attributes attributes;
	std::vector<Device> devices;
};

/// Reads and validates one document: with no namespace, or in the draft's.  Only UTF-8.  Elements
/// and attributes of other namespaces are ignored, text of elements is trimmed of XML white space.
/// Refused: anything over the limits above, a DTD, an entity, more than 1,024 '=' in one tag, what
/// the schemas do not allow, an empty Device, Action, Variable or OutArgument. No file and no
/// network is touched whatever the document says. Errors: malformed, with the line and libxml2's
/// words; fatal when memory runs out.
[[nodiscard]] Result<Document> parse(std::string_view xml);

/// Writes without the draft's namespace, ours as prefix "bmd" where it is used, on one line.
/// Text that XML 1.0 cannot carry (control characters, U+FFFE, U+FFFF) and invalid UTF-8 become
/// U+FFFD, one for each maximal ill-formed sequence.  Contract: every Entry fits the root, every
/// list said to have at least one element has it.
[[nodiscard]] std::string write(const Document &document);

/// The schemas compiled in, as shipped in xsd/: for tests and for tools that print them.
[[nodiscard]] std::string_view schema_text() noexcept;       ///< dmp.xsd
[[nodiscard]] std::string_view alert_schema_text() noexcept; ///< dmp-bmd.xsd

} // namespace bmd::dmp
