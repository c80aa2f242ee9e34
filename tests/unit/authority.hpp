/// @file authority.hpp  A certificate authority that lives as long as a test.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <memory>
#include <string>

#include "cms/cms.hpp"

namespace bmd_test {

/// What a certificate is to be.
struct Wanted
{
	std::string names = "URI:sip:bmd.example"; ///< subjectAltName; "" for none
	long from = -3600;                         ///< seconds from now
	long until = 3600;
	std::string key = "P-256"; ///< a curve, or bits of RSA
	std::string usage = "";    ///< keyUsage; "" for no such extension
	std::string extended = ""; ///< extendedKeyUsage
};

struct Person
{
	std::string certificate; ///< PEM
	std::string key;
};

class Authority
{
public:
	explicit Authority(const std::string &name = "test authority");
	/// One that another has made.
	Authority(const std::string &name, Authority &above);
	[[nodiscard]] std::string certificate() const;
	[[nodiscard]] Person issue(const Wanted &wanted);
	/// A list that names the certificate; an empty text: nobody.
	[[nodiscard]] std::string revoke(const std::string &certificate) const;
	/// A keyring of this person that trusts this authority.
	[[nodiscard]] std::unique_ptr<smime::Keyring> ring(
			const Person &person, const std::string &revoked = "") const;

private:
	smime::KeyPtr key_;
	smime::CertificatePtr own_;
	long serial_ = 1;
};

/// The first certificate of a PEM text.
[[nodiscard]] smime::CertificatePtr certificate_of(const std::string &pem);

} // namespace bmd_test
