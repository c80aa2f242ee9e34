/// @file sealing.hpp  What this terminal sends, signed with its headers and encrypted for the
/// server. SPDX-License-Identifier: GPL-2.0-or-later
///
/// A signature covers headers that the stack writes when a request goes out, and writes anew when
/// it goes out again: a challenge, a refresh.  So requests are sealed in that moment, with their
/// credentials.  Before a challenge they go without a body: nothing of it is ever in clear.

#pragma once

#include <map>
#include <string>

#include "protection.hpp"

#include <sofia-sip/msg.h>

namespace bmd::watch {

/// SUBSCRIBE and MESSAGE of one stack.
class Sealing
{
public:
	/// The protection is the caller's, and stays longer than this.
	explicit Sealing(const Protection &protection);
	~Sealing();
	Sealing(const Sealing &) = delete;
	Sealing &operator=(const Sealing &) = delete;

	/// Is anything sealed at all?
	[[nodiscard]] bool on() const noexcept { return protection_.seals(); }

	/// A Call-ID for the MESSAGE that is to bring this body.
	[[nodiscard]] std::string keep(smime::Body body);
	void forget(const std::string &call_id) { bodies_.erase(call_id); }
	/// Why the last request could not be sealed, and was not sent; "" when it was.
	[[nodiscard]] const std::string &reason() const noexcept { return reason_; }

private:
	[[nodiscard]] bool seal(msg_t *request);

	const Protection &protection_;
	std::map<std::string, smime::Body> bodies_; ///< by Call-ID
	std::string reason_;
};

} // namespace bmd::watch
