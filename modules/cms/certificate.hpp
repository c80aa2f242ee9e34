/// @file certificate.hpp  Certificates, keys and whom they are trusted to be.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bmd/result.hpp"
#include "openssl.hpp"

namespace smime {

/// Whom a certificate names.
struct Names
{
	std::string subject;              ///< one line, RFC 2253
	std::vector<std::string> uris;    ///< "sip:carol@bmd.example"
	std::vector<std::string> emails;  ///< "carol@bmd.example"
	std::vector<std::string> domains; ///< DNS names
};
[[nodiscard]] Names names_of(const X509 *certificate);

/// Is one of them this SIP identity?  "sip:USER@HOST": the same URI, or the same as an e-mail
/// address; "sip:HOST": the same URI, or the host as a DNS name (RFC 5922).  Parameters do not
/// count.
[[nodiscard]] bool is_named(const Names &names, std::string_view identity);
/// The first of them, for people; the subject when there is none.
[[nodiscard]] std::string shown(const Names &names);

/// Contents of PEM files; an empty one is none.
struct PemTexts
{
	std::string certificate; ///< own one first, then what leads to the CA
	std::string key;
	std::string authorities;
	std::string revoked; ///< CRLs of these
};

/// Errors of all: what could not be read, and why; the caller names the file.
[[nodiscard]] bmd::Result<CertificatesPtr> read_certificates(std::string_view pem);
[[nodiscard]] bmd::Result<KeyPtr> read_key(const std::string &pem);
/// A store for trust; with CRLs nobody whose issuer has none is trusted.
[[nodiscard]] bmd::Result<StorePtr> read_trust(
		std::string_view authorities, std::string_view revoked);

/// "" or why nothing may be encrypted for it now: not valid yet, expired, a key that is too weak or
/// not for this; with a store also: not of its authorities, revoked.
[[nodiscard]] std::string unfit_for_encryption(X509 *certificate, X509_STORE *trust);
/// "" or why nobody is believed who shows it in a TLS handshake: not valid yet, expired, not of
/// the store's authorities, revoked.  Without a store: only its time counts.
[[nodiscard]] std::string unfit_as_peer(X509 *certificate, X509_STORE *trust);
/// "" or why it is not valid at this moment.
[[nodiscard]] std::string outside_its_time(const X509 *certificate);

} // namespace smime
