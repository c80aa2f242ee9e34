/// @file authority.cpp  A certificate authority that lives as long as a test.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "authority.hpp"

#include <cstdlib>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace bmd_test {

namespace {

using smime::BioPtr;
using smime::CertificatePtr;
using smime::KeyPtr;

KeyPtr make_key(const std::string &kind)
{
	const auto bits = static_cast<std::size_t>(std::strtoul(kind.c_str(), nullptr, 10));
	if(bits != 0)
		return KeyPtr(EVP_PKEY_Q_keygen(smime::library(), nullptr, "RSA", bits));
	return KeyPtr(EVP_PKEY_Q_keygen(smime::library(), nullptr, "EC", kind.c_str()));
}

std::string pem_of(const X509 *certificate)
{
	const BioPtr out = smime::writer();
	PEM_write_bio_X509(out.get(), const_cast<X509 *>(certificate));
	return smime::written(out.get());
}

std::string pem_of(const EVP_PKEY *key)
{
	const BioPtr out = smime::writer();
	PEM_write_bio_PrivateKey(
			out.get(), const_cast<EVP_PKEY *>(key), nullptr, nullptr, 0, nullptr, nullptr);
	return smime::written(out.get());
}

void name(X509_NAME *to, const std::string &text)
{
	X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_ASC,
			reinterpret_cast<const unsigned char *>(text.c_str()), -1, -1, 0);
}

void extend(X509 *certificate, int nid, const std::string &value)
{
	if(value.empty())
		return;
	X509V3_CTX context;
	X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
	X509_EXTENSION *const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

CertificatePtr begin(long serial, const std::string &subject, EVP_PKEY *key, long from, long until)
{
	CertificatePtr one(X509_new_ex(smime::library(), nullptr));
	X509_set_version(one.get(), X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(one.get()), serial);
	X509_gmtime_adj(X509_getm_notBefore(one.get()), from);
	X509_gmtime_adj(X509_getm_notAfter(one.get()), until);
	name(X509_get_subject_name(one.get()), subject);
	X509_set_pubkey(one.get(), key);
	return one;
}

void sign_authority(X509 *certificate, X509 *issuer, EVP_PKEY *key)
{
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
	extend(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
	X509_sign(certificate, key, EVP_sha256());
}

} // namespace

Authority::Authority(const std::string &subject) : key_(make_key("P-256"))
{
	own_ = begin(1, subject, key_.get(), -7200, 7200);
	sign_authority(own_.get(), own_.get(), key_.get());
}

Authority::Authority(const std::string &subject, Authority &above) : key_(make_key("P-256"))
{
	own_ = begin(++above.serial_, subject, key_.get(), -7200, 7200);
	sign_authority(own_.get(), above.own_.get(), above.key_.get());
}

std::string Authority::certificate() const
{
	return pem_of(own_.get());
}

Person Authority::issue(const Wanted &wanted)
{
	const KeyPtr key = make_key(wanted.key);
	++serial_;
	const CertificatePtr one = begin(
			serial_, "number " + std::to_string(serial_), key.get(), wanted.from, wanted.until);
	X509_set_issuer_name(one.get(), X509_get_subject_name(own_.get()));
	extend(one.get(), NID_subject_alt_name, wanted.names);
	extend(one.get(), NID_key_usage, wanted.usage);
	extend(one.get(), NID_ext_key_usage, wanted.extended);
	X509_sign(one.get(), key_.get(), EVP_sha256());
	return {pem_of(one.get()), pem_of(key.get())};
}

std::string Authority::revoke(const std::string &certificate) const
{
	const smime::CrlPtr list(X509_CRL_new());
	X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(own_.get()));
	ASN1_TIME *const last = X509_gmtime_adj(nullptr, -60);
	ASN1_TIME *const next = X509_gmtime_adj(nullptr, 3600);
	X509_CRL_set1_lastUpdate(list.get(), last);
	X509_CRL_set1_nextUpdate(list.get(), next);
	if(!certificate.empty()) {
		X509_REVOKED *const revoked = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(
				revoked, X509_get_serialNumber(certificate_of(certificate).get()));
		X509_REVOKED_set_revocationDate(revoked, last);
		X509_CRL_add0_revoked(list.get(), revoked);
	}
	ASN1_TIME_free(last);
	ASN1_TIME_free(next);
	X509_CRL_sign(list.get(), key_.get(), EVP_sha256());
	const BioPtr out = smime::writer();
	PEM_write_bio_X509_CRL(out.get(), list.get());
	return smime::written(out.get());
}

std::unique_ptr<smime::Keyring> Authority::ring(
		const Person &person, const std::string &revoked) const
{
	auto ring = smime::Keyring::make({person.certificate, person.key, certificate(), revoked});
	return ring ? std::move(ring).value() : nullptr;
}

smime::CertificatePtr certificate_of(const std::string &pem)
{
	auto all = smime::read_certificates(pem);
	return smime::CertificatePtr(all ? sk_X509_shift(all->get()) : nullptr);
}

} // namespace bmd_test
