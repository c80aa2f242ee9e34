/// @file watch_output.hpp  What bmd-watch has to say, and the two ways of saying it.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bmd/dmp_feed.hpp"
#include "bmd/time.hpp"
#include "feed_state.hpp"
#include "watchers_state.hpp"

namespace bmd::watch {

/// One NOTIFY as it came.
struct Notification
{
	TimeUs received = 0;
	std::string subscribed; ///< the feed that was subscribed to
	std::uint32_t cseq = 0;
	std::string call_id;
	std::string subscription_state;      ///< active, pending, terminated
	std::string reason;                  ///< of a terminated one; may be empty
	std::optional<dmp::Feed> feed;       ///< absent: no body, or one that could not be read
	std::string mistake;                 ///< why the body could not be read
	Outcome outcome;                     ///< what `feed` did
	std::optional<WatcherInfo> watchers; ///< instead of `feed`: of watcher information
	WatcherNews news;                    ///< what `watchers` did
	std::vector<AlertView> open;         ///< open alerts after it
};

/// Something else that happened; empty and zero members do not apply.
struct Event
{
	TimeUs at = 0;
	std::string name; ///< registered, unregistered, subscribed, unsubscribed, refused, retry, gap,
					  ///< old, replayed, deaf, heard, unproven, proven, untrusted, withheld, end
	std::string feed; ///< empty: the registration, or the whole program
	int status = 0;   ///< SIP status
	std::string reason;
	std::optional<std::uint32_t> expires; ///< seconds
	std::optional<std::uint32_t> in_ms;   ///< when it is tried again
	std::string call_id;
	TimeUs since = 0;                           ///< deaf: when the server last answered
	std::optional<std::uint64_t> replayed = {}; ///< replayed, end: NOTIFYs that had come before
};

/// What became of an answer to an alert, or of a command that could not be read (then `action` is
/// empty).
struct Answered
{
	TimeUs at = 0;
	std::string action;
	std::string alert;  ///< code or id
	int status = 0;     ///< of the ResultCode; 0: not done, or not known
	std::string result; ///< the ResultCode itself
	std::string reason;
	bool unknown = false; ///< it may have been done; the result may still come
};

class Output
{
public:
	Output() = default;
	Output(const Output &) = delete;
	Output &operator=(const Output &) = delete;
	virtual ~Output() = default;
	virtual void notification(const Notification &notification) = 0;
	virtual void event(const Event &event) = 0;
	virtual void answered(const Answered &answered) = 0;
};

/// Milliseconds from the last byte of the frame to the arrival of the NOTIFY; nullopt where the
/// alert has no reading.
[[nodiscard]] std::optional<double> latency_ms(const AlertView &alert, TimeUs received) noexcept;

/// Lines for people.
[[nodiscard]] std::string text_of(const Notification &notification);
[[nodiscard]] std::string text_of(const Event &event);
[[nodiscard]] std::string text_of(const Answered &answered); ///< without a line end
/// One JSON object and '\n'.
[[nodiscard]] std::string json_of(const Notification &notification);
[[nodiscard]] std::string json_of(const Event &event);
[[nodiscard]] std::string json_of(const Answered &answered);

/// Writes to standard output and flushes after each.
[[nodiscard]] std::unique_ptr<Output> text_output();
[[nodiscard]] std::unique_ptr<Output> json_output();

} // namespace bmd::watch
