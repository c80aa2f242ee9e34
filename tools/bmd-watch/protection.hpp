/// @file protection.hpp  Bodies that are signed and encrypted for the person at this terminal.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Where authorities are given nothing is believed that the server has not signed: what is not
/// signed could be made by anybody on the way.

#pragma once

#include <memory>
#include <string>

#include "bmd/result.hpp"
#include "cms/body.hpp"
#include "watch_options.hpp"

#include <sofia-sip/sip.h>

namespace bmd::watch {

/// What is in a request.
struct Opened
{
	std::string type; ///< of the document, in lower case, without parameters; "" when there is none
	std::string body;
	std::string refused; ///< why nothing of it may be shown; "" when it may
};

class Protection
{
public:
	/// Errors name the file.
	[[nodiscard]] static Result<std::unique_ptr<Protection>> load(const Options &options);

	/// Decrypts, verifies, and compares the headers with those that were signed.
	[[nodiscard]] Opened open(const sip_t *sip) const;

	/// Is what this terminal sends to be signed?
	[[nodiscard]] bool seals() const noexcept { return sign_; }
	/// Signs the headers of the request and the body that it is to bring, and encrypts both where
	/// the server's certificate was given.  Errors: why not.
	[[nodiscard]] Result<smime::Body> seal(const sip_t *sip, const smime::Body &body) const;

private:
	[[nodiscard]] static Result<std::unique_ptr<Protection>> with_recipient(
			std::unique_ptr<Protection> protection, const std::string &file);

	std::unique_ptr<smime::Keyring> ring_; ///< nullptr: no file was given
	std::string server_;                   ///< identity that must have signed
	bool sign_ = false;
	smime::CertificatesPtr recipient_; ///< of the server; nullptr: nothing is encrypted
};

} // namespace bmd::watch
