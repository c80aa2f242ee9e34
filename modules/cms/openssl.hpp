/// @file openssl.hpp  OpenSSL's objects with owners, in a library context of their own.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// OpenSSL's default context, and with Kamailio's module tls all of OpenSSL's memory, is shared by
/// processes that forked.  Nothing here uses that context: what is fetched, cached and locked
/// belongs to one process alone.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace smime {

/// Frees with the function that it is made of.
template <auto Free> struct Freed
{
	template <class T> void operator()(T *object) const noexcept { Free(object); }
};

inline void free_certificates(STACK_OF(X509) * certificates) noexcept
{
	sk_X509_pop_free(certificates, X509_free);
}

using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using CmsPtr = std::unique_ptr<CMS_ContentInfo, Freed<CMS_ContentInfo_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using DigestPtr = std::unique_ptr<EVP_MD, Freed<EVP_MD_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>>;
using CertificatePtr = std::unique_ptr<X509, Freed<X509_free>>;
using CertificatesPtr = std::unique_ptr<STACK_OF(X509), Freed<free_certificates>>;
using CrlPtr = std::unique_ptr<X509_CRL, Freed<X509_CRL_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

/// The context of this process; made at the first call, which must come after the fork.
[[nodiscard]] OSSL_LIB_CTX *library();

/// Memory to read from; keeps a view.
[[nodiscard]] BioPtr reader(std::string_view bytes);
/// The same for CMS_verify(), which makes a second one of what it takes for plain memory, and
/// loses that with some signatures that do not hold (OpenSSL 3.0.19).
[[nodiscard]] BioPtr detached_reader(std::string_view bytes);
/// Memory to write to.
[[nodiscard]] BioPtr writer();
[[nodiscard]] std::string written(BIO *bio);

/// "what: reason" of OpenSSL's last error, whose queue is empty then.
[[nodiscard]] std::string openssl_error(std::string_view what);

} // namespace smime
