/// @file winfo.hpp  Watcher information (RFC 3857): states of a subscription, and its documents
/// (RFC 3858). SPDX-License-Identifier: GPL-2.0-or-later
/// Pure: no clock, no I/O.  Says nothing of who may see a document.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/result.hpp"

namespace bmd {

/// RFC 3857, 4.7.1.  `init` is never told.
enum class WatcherStatus : std::uint8_t
{
	init = 0,
	pending,
	active,
	waiting,
	terminated
};

/// What brought a subscription into its state.
enum class WatcherEvent : std::uint8_t
{
	subscribe = 0,
	approved,
	deactivated,
	probation,
	rejected,
	timeout, ///< not refreshed, or ended by the watcher
	giveup,
	noresource
};

/// What is decided of a subscription when it arrives.
enum class WatcherPolicy : std::uint8_t
{
	none = 0, ///< somebody has yet to decide
	accept,
	reject
};

[[nodiscard]] std::string_view to_string(WatcherStatus) noexcept;
[[nodiscard]] std::string_view to_string(WatcherEvent) noexcept;
[[nodiscard]] std::optional<WatcherStatus> parse_watcher_status(std::string_view) noexcept;
[[nodiscard]] std::optional<WatcherEvent> parse_watcher_event(std::string_view) noexcept;

/// The state after an event, by the table of RFC 3857, 4.7.1; nullopt: it has none for this one,
/// and nothing changes.  The policy matters in `init` alone.
[[nodiscard]] std::optional<WatcherStatus> next_status(
		WatcherStatus status, WatcherEvent event, WatcherPolicy policy) noexcept;

/// One subscription as a document tells it.
struct WatcherEntry
{
	std::string id; ///< within its list
	std::string uri;
	WatcherStatus status = WatcherStatus::active;
	WatcherEvent event = WatcherEvent::subscribe;
	std::optional<std::uint64_t> subscribed; ///< seconds since it began, where they are known
};

struct WatcherList
{
	std::string resource; ///< URI
	std::vector<WatcherEntry> watchers;
};

struct WatcherInfo
{
	std::uint32_t version = 0; ///< from 0 on, of one subscription
	bool full = true;
	std::vector<WatcherList> lists;
};

inline constexpr std::string_view winfo_type = "application/watcherinfo+xml";
inline constexpr std::string_view winfo_package = "bmd-alert"; ///< whose watchers these are
inline constexpr std::size_t max_winfo_bytes = std::size_t{256} << 10;

/// The document.  What XML cannot carry becomes U+FFFD.
[[nodiscard]] std::string write_winfo(const WatcherInfo &info);

/// The same text with another version; as it is when it is none of write_winfo().
[[nodiscard]] std::string renumber_winfo(std::string_view body, std::uint32_t version);

/// Errors: malformed (too long, no XML, a DTD, another root, an attribute that is missing or
/// wrong), naming the element.  Lists of other packages and elements of other namespaces are passed
/// over.
[[nodiscard]] Result<WatcherInfo> read_winfo(std::string_view xml);

} // namespace bmd
