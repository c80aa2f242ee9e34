/// @file delivery.hpp  What becomes of the documents that are sent: which alert reached whom.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// A process says whom it sends to and which alerts the document holds; tm asks for a ticket when
/// the NOTIFY is made and brings it back with the final answer, to any process.

#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "store.hpp"

namespace bmd {

inline constexpr std::size_t terminal_size = 96; ///< URI of a terminal

/// An alert as a document tells it.
struct AlertMark
{
	Uuid alert;
	std::uint32_t revision;
};

/// One alert in one document to one terminal, with the answer: an entry of the deliveries' ring.
struct Delivery
{
	Uuid alert;
	std::uint32_t revision;
	std::int32_t code; ///< final status; not_sent (subs.hpp): it could not be sent at all
	TimeUs sent_at;    ///< wall clock
	TimeUs answered_at;
	char user[name_size];
	char terminal[terminal_size];
	std::uint8_t way; ///< 0: subscription, else one bit of How (escalation.hpp)
};

/// An outcome is on its way to the database.  False when there is no room: counted.
bool record_delivery(const Delivery &delivery) noexcept;

/// Until end_sending(), what this process sends goes to this subscription (slot 0: to a terminal
/// that only fetches state).
void begin_sending(SubRef to, std::string_view user) noexcept;
void end_sending() noexcept;
/// Whom; empty when nobody.
[[nodiscard]] std::string_view sending_to() noexcept;
/// Which subscription; slot 0 when none.
[[nodiscard]] SubRef sending_in() noexcept;

/// What the Subscription-State of the NOTIFY that is being made says.
enum class NotifyState : std::uint8_t
{
	active,
	pending,
	rejected,   ///< terminated: it is not to be tried again
	deactivated ///< terminated: it is to be tried again at once
};
/// Until end_sending(); active otherwise.
void set_notify_state(NotifyState state) noexcept;
[[nodiscard]] NotifyState notify_state() noexcept;

/// Until end_sending(): it is a document of watcher information.
void set_sending_winfo() noexcept;
[[nodiscard]] bool sending_winfo() noexcept;

/// The next document holds these alerts.
void document_holds(const std::vector<AlertMark> &alerts);

/// A block of shared memory for the NOTIFY that is being made; nullptr when nothing of ours is sent
/// or memory runs out (counted: it is sent all the same).
[[nodiscard]] void *make_ticket(std::string_view terminal) noexcept;
void free_ticket(void *ticket) noexcept;

/// Was it the last NOTIFY of its subscription?
[[nodiscard]] bool ticket_ends(const void *ticket) noexcept;

/// The final answer; 408 when there was none.
void ticket_answered(void *ticket, int code) noexcept;

/// The document could not be sent at all.
void sending_failed() noexcept;

} // namespace bmd
