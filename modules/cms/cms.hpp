/// @file cms.hpp  Cryptographic Message Syntax (RFC 5652, 5083, 5084), no more of it than we want.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// What is made: SignedData with SHA-256 or better, AuthEnvelopedData with AES-256-GCM, RSA-OAEP or
/// ECDH with SHA-256.  What is taken: one signature with SHA-256 or better, and AES-GCM only:
/// content that is encrypted without being authenticated can be changed on its way.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "certificate.hpp"

namespace smime {

/// Of what a signature was found good.
struct Signed
{
	std::string content; ///< of a signature that holds it; else empty
	Names signer;
};

/// One's own certificate and key, and whom one trusts.  Belongs to one process.
class Keyring
{
public:
	/// Any of the texts may be empty, and then what needs it is refused.  Errors: what cannot be
	/// used, a key that is not the certificate's.
	[[nodiscard]] static bmd::Result<std::unique_ptr<Keyring>> make(const PemTexts &texts);

	[[nodiscard]] bool can_sign() const noexcept { return key_ != nullptr; }
	[[nodiscard]] bool can_verify() const noexcept { return trust_ != nullptr; }
	/// "" or why nothing can be signed now.
	[[nodiscard]] std::string unfit_for_signing() const;

	/// Digest that signatures are made with: "sha-256".
	[[nodiscard]] std::string micalg() const;
	/// DER of a SignedData without the content.
	[[nodiscard]] bmd::Result<std::string> sign(std::string_view content) const;
	/// DER of an AuthEnvelopedData for one recipient, which unfit_for_encryption() finds fit.
	[[nodiscard]] bmd::Result<std::string> encrypt(std::string_view content, X509 *recipient) const;
	/// Errors: changed, not for this certificate, or encrypted in a way that is not taken.
	[[nodiscard]] bmd::Result<std::string> decrypt(std::string_view der) const;
	/// With `content` the signature is of that, else of what it holds.  Errors: changed, nobody who
	/// is trusted, expired, revoked, a digest that is not taken.
	[[nodiscard]] bmd::Result<Signed> verify(
			std::string_view der, const std::string_view *content) const;
	[[nodiscard]] X509_STORE *trust() const noexcept { return trust_.get(); }

private:
	CertificatesPtr chain_; // own one first; null: none
	KeyPtr key_;
	StorePtr trust_;
};

} // namespace smime
