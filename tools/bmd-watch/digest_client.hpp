/// @file digest_client.hpp  Digest authentication for the SIP stack, in place of its own.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// sofia-sip knows MD5 only, and does not look whether the server knows the password.  This answers
/// challenges by SHA-256, by MD5 only when told so and nothing better is offered, and keeps what
/// the server must prove itself with.

#pragma once

#include <cstdint>
#include <functional>
#include <sofia-sip/msg_types.h>
#include <sofia-sip/sip.h>

namespace bmd::watch {

/// Before the first stack.  False: the stack does not take it.
[[nodiscard]] bool use_own_digest(bool allow_md5);

/// Is there a challenge in the response that can be answered?
[[nodiscard]] bool can_answer(const sip_t *response) noexcept;

/// Called with each request that goes out with credentials, as it is complete but for these and
/// Via; false: it is not sent.  nullptr: nobody is.
void before_credentials(std::function<bool(msg_t *)> work);

/// What a response tells of the server's own knowledge of the password.
enum class Proof : std::uint8_t
{
	right,
	missing, ///< says nothing of it
	wrong    ///< not what it would be with our password
};

/// RFC 7616, 3.5.  For responses to requests whose sender has a password.
[[nodiscard]] Proof proof_of(const sip_t *response);

} // namespace bmd::watch
