/// @file notifier.hpp  The loop of a notifier process: changes in, documents of feeds out.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// How a document reaches watchers is the caller's business.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "changes.hpp"

namespace bmd {

/// Sends one document to all watchers of a feed.  Called with the feed's lock held.
using SendDocument = std::function<void(const std::string &feed_uri, const std::string &body)>;

/// Takes what waits for notifier `slot` and sends it, urgent changes first.  Sleeps up to
/// `milliseconds` when nothing waits.
void notify_once(std::size_t slot, int milliseconds, const SendDocument &send);

/// Serialises what is sent on one feed: held while a SUBSCRIBE of it is answered, too.
[[nodiscard]] Mutex &feed_mutex(std::string_view feed) noexcept;

} // namespace bmd
