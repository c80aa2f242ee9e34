/// @file cms.cpp  Cryptographic Message Syntax: made.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "cms.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

namespace smime {

namespace {

// As strong as the key.
const char *digest_of(EVP_PKEY *key)
{
	const int bits = EVP_PKEY_get_security_bits(key);
	if(EVP_PKEY_is_a(key, "EC") != 1 || bits <= 128)
		return "SHA256";
	return bits <= 192 ? "SHA384" : "SHA512";
}

// How the content's key reaches the recipient.
bool set_transport(CMS_RecipientInfo *recipient)
{
	EVP_PKEY_CTX *const context = CMS_RecipientInfo_get0_pkey_ctx(recipient);
	const DigestPtr sha256(EVP_MD_fetch(library(), "SHA256", nullptr));
	if(context == nullptr || sha256 == nullptr)
		return false;
	if(CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_AGREE)
		return EVP_PKEY_CTX_set_ecdh_kdf_md(context, sha256.get()) > 0;
	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0
		   && EVP_PKEY_CTX_set_rsa_oaep_md(context, sha256.get()) > 0
		   && EVP_PKEY_CTX_set_rsa_mgf1_md(context, sha256.get()) > 0;
}

bmd::Result<std::string> der_of(CMS_ContentInfo *cms)
{
	unsigned char *bytes = nullptr;
	const int length = i2d_CMS_ContentInfo(cms, &bytes);
	if(length <= 0)
		return bmd::Error{bmd::Errc::fatal, openssl_error("CMS cannot be written")};
	std::string der(reinterpret_cast<const char *>(bytes), static_cast<std::size_t>(length));
	OPENSSL_free(bytes);
	return der;
}

} // namespace

bmd::Result<std::unique_ptr<Keyring>> Keyring::make(const PemTexts &texts)
{
	if(library() == nullptr)
		return bmd::Error{bmd::Errc::fatal, "OpenSSL has no memory"};
	auto ring = std::make_unique<Keyring>();
	if(!texts.certificate.empty()) {
		auto chain = read_certificates(texts.certificate);
		if(!chain)
			return bmd::malformed("certificate: " + chain.error().reason);
		ring->chain_ = std::move(chain).value();
	}
	if(!texts.key.empty()) {
		auto key = read_key(texts.key);
		if(!key)
			return bmd::malformed("key: " + key.error().reason);
		ring->key_ = std::move(key).value();
	}
	if((ring->chain_ == nullptr) != (ring->key_ == nullptr))
		return bmd::malformed("a certificate and its key belong together: one of them is missing");
	if(ring->key_ != nullptr
			&& X509_check_private_key(sk_X509_value(ring->chain_.get(), 0), ring->key_.get())
					   != 1) {
		ERR_clear_error();
		return bmd::malformed("key: it is not the key of the certificate");
	}
	if(!texts.authorities.empty()) {
		auto trust = read_trust(texts.authorities, texts.revoked);
		if(!trust)
			return bmd::malformed("authorities: " + trust.error().reason);
		ring->trust_ = std::move(trust).value();
	}
	return ring;
}

std::string Keyring::unfit_for_signing() const
{
	return can_sign() ? outside_its_time(sk_X509_value(chain_.get(), 0))
					  : "there is no certificate of one's own";
}

std::string Keyring::micalg() const
{
	const std::string name = digest_of(key_.get());
	return "sha-" + name.substr(3);
}

bmd::Result<std::string> Keyring::sign(std::string_view content) const
{
	const std::string unfit = unfit_for_signing();
	if(!unfit.empty())
		return bmd::Error{bmd::Errc::denied, "cannot sign: " + unfit};
	constexpr unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL | CMS_NOSMIMECAP;
	const CmsPtr cms(CMS_sign_ex(nullptr, nullptr, nullptr, nullptr, flags, library(), nullptr));
	const DigestPtr digest(EVP_MD_fetch(library(), digest_of(key_.get()), nullptr));
	const BioPtr in = reader(content);
	bool done = cms != nullptr && digest != nullptr && in != nullptr
				&& CMS_add1_signer(cms.get(), sk_X509_value(chain_.get(), 0), key_.get(),
						   digest.get(), flags)
						   != nullptr;
	for(int i = 1; done && i < sk_X509_num(chain_.get()); ++i)
		done = CMS_add1_cert(cms.get(), sk_X509_value(chain_.get(), i)) == 1;
	if(!done || CMS_final(cms.get(), in.get(), nullptr, flags) != 1)
		return bmd::Error{bmd::Errc::fatal, openssl_error("cannot sign")};
	return der_of(cms.get());
}

bmd::Result<std::string> Keyring::encrypt(std::string_view content, X509 *recipient) const
{
	constexpr unsigned flags = CMS_BINARY | CMS_PARTIAL;
	const CipherPtr cipher(EVP_CIPHER_fetch(library(), "AES-256-GCM", nullptr));
	const CmsPtr cms(cipher == nullptr ? nullptr
									   : CMS_encrypt_ex(nullptr, nullptr, cipher.get(), flags,
											   library(), nullptr));
	const BioPtr in = reader(content);
	CMS_RecipientInfo *const to =
			cms == nullptr ? nullptr
						   : CMS_add1_recipient_cert(cms.get(), recipient, flags | CMS_KEY_PARAM);
	if(to == nullptr || in == nullptr || !set_transport(to)
			|| CMS_final(cms.get(), in.get(), nullptr, flags) != 1)
		return bmd::Error{bmd::Errc::fatal, openssl_error("cannot encrypt")};
	return der_of(cms.get());
}

} // namespace smime
