/// @file dmp_feed.hpp  The alert feed: the DMPResponse that a NOTIFY of event package bmd-alert
/// carries. SPDX-License-Identifier: GPL-2.0-or-later Does not decide what is sent to whom;
/// write_feed() is the fast path of every NOTIFY body.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bmd/alert.hpp"
#include "bmd/dmp.hpp"
#include "bmd/result.hpp"
#include "bmd/time.hpp"

namespace bmd::dmp {

/// Alerts of one feed at one moment.
struct Feed
{
	std::string feed;          ///< URI of the feed
	std::uint32_t version = 0; ///< grows by one with every document of a subscription
	bool full = true;          ///< all open alerts; false: those that changed
	TimeUs at = 0;             ///< when the document was written
	std::uint32_t more = 0;    ///< open alerts that follow in later documents
	/// Open alerts of which the watcher may know only how many there are; absent: none are hidden.
	std::optional<std::uint32_t> counted;
	std::vector<AlertView>
			alerts; ///< document at most max_actions and max_bytes, or no reader takes it
	/// Open alerts that the subscription's filter leaves out; absent: there is no filter.
	std::optional<std::uint32_t> filtered = {};
};

/// The feed as a document: neighbours with the same serial share a Device.
/// A value or limit that is not finite is written as absent.
[[nodiscard]] Document feed_document(const Feed &feed);

/// Back from a document.  Errors: malformed, when it is no feed (an action, an attribute missing, a
/// Notify without bmd:alert or with several variables, an Event that is no alert condition).
[[nodiscard]] Result<Feed> read_feed(const Document &document);

/// The same text as write(feed_document(feed)), built directly.
[[nodiscard]] std::string write_feed(const Feed &feed);

/// Number of digits of the version attribute as write() and write_feed() write it, zero padded, so
/// that it can be patched in place for each watcher.
inline constexpr std::size_t version_digits = 10;

/// Byte offset of those digits in a body of write() or write_feed(); npos when it has none.
[[nodiscard]] std::size_t version_offset(std::string_view body) noexcept;

/// Writes exactly version_digits characters at `digits`, no terminating zero.
void set_version(char *digits, std::uint32_t version) noexcept;

/// Makes a body of write_feed() one of another feed: only the URI in its root changes.  Nothing
/// when it is no such body.
void set_feed(std::string &body, std::string_view uri);

} // namespace bmd::dmp
