/// @file notifier.hpp  The loop of a notifier process: changes in, documents of feeds out.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// How a document reaches a terminal is the caller's business.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "changes.hpp"
#include "holding.hpp"

namespace bmd {

/// Sends one document within the dialog that is presence's resource `uri`.  Called with the
/// dialog's lock held.
using SendDocument = std::function<void(const std::string &uri, const std::string &body)>;

/// Takes what waits for notifier `slot` and sends it, urgent changes first; what rules of watchers
/// hold back is in `holding`, always the same of one process.  Sleeps up to `milliseconds` when
/// nothing waits.
void notify_once(std::size_t slot, int milliseconds, const SendDocument &send, Holding &holding);

} // namespace bmd
