/// @file notify_tap.hpp  Every NOTIFY that comes, also those that the SIP stack answers by itself.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <functional>

#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/sip.h>

namespace bmd::watch {

/// A class of messages for NTATAG_MCLASS that shows each NOTIFY to `taker` when its headers have
/// come, retransmissions included, before the stack has looked at it.  One in a process, made once;
/// it lives as long as that.  nullptr: no memory.
[[nodiscard]] const msg_mclass_t *tapped_messages(std::function<void(const sip_t &)> taker);

} // namespace bmd::watch
