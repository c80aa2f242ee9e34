/// @file body.hpp  Bodies of SIP requests, signed and encrypted: RFC 3261, 23, RFC 8551, RFC 8591.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Signed is multipart/signed whose first part is a message/sipfrag: headers of the request, and
/// its body.  Encrypted is application/pkcs7-mime.  One is made of the other: sign, then encrypt.

#pragma once

#include <string>
#include <string_view>

#include "cms.hpp"
#include "headers.hpp"

namespace smime {

struct Body
{
	std::string type; ///< value of Content-Type; "" when there is no body
	std::string content;
	std::string transfer; ///< value of Content-Transfer-Encoding; "" when it needs none
};

enum class Transfer
{
	binary,
	base64
};

[[nodiscard]] bool is_signed(std::string_view type);
[[nodiscard]] bool is_encrypted(std::string_view type);

/// Signs what is covered of `headers`, and the body, if there is one.  Errors: as of Keyring::sign.
[[nodiscard]] bmd::Result<Body> sign_body(
		const Keyring &ring, const Headers &headers, const Body &body, Transfer transfer);

/// Encrypts the body for a certificate that unfit_for_encryption() finds fit.
[[nodiscard]] bmd::Result<Body> encrypt_body(
		const Keyring &ring, X509 *recipient, const Body &body, Transfer transfer);

/// What is in an encrypted body.  Errors: as of Keyring::decrypt, or what is in it is no MIME
/// entity.
[[nodiscard]] bmd::Result<Body> decrypt_body(const Keyring &ring, const Body &body);

/// A body whose signature is good, and whose headers are those of the request.
struct Verified
{
	Body body;
	Names signer;
};

/// `headers`: those of the request, all that are covered.  Errors: as of Keyring::verify; a signer
/// who is not `identity`; headers that are not covered or were changed; not signed at all.
[[nodiscard]] bmd::Result<Verified> verify_body(
		const Keyring &ring, const Headers &headers, const Body &body, std::string_view identity);

} // namespace smime
