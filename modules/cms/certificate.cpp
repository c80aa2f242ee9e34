/// @file certificate.cpp  Certificates, keys and whom they are trusted to be.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "certificate.hpp"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "mime.hpp"

namespace smime {

namespace {

constexpr int least_security_bits = 112; // RSA of 2048 bits, EC of 224
constexpr int least_level = 2;           // OpenSSL's for the same, and no SHA-1 in a signature

std::string text_of(const ASN1_STRING *text)
{
	const auto *const data = reinterpret_cast<const char *>(ASN1_STRING_get0_data(text));
	return {data, static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// A file with a pass phrase must not make a server ask for it on its terminal.
int no_pass_phrase(char *, int, int, void *)
{
	return -1;
}

// The end of the text is no error.
bool at_the_end()
{
	const unsigned long error = ERR_peek_last_error();
	const bool end =
			ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
	if(end)
		ERR_clear_error();
	return end;
}

void add_name(Names &names, const GENERAL_NAME *name)
{
	if(name->type == GEN_URI)
		names.uris.push_back(text_of(name->d.uniformResourceIdentifier));
	else if(name->type == GEN_EMAIL)
		names.emails.push_back(text_of(name->d.rfc822Name));
	else if(name->type == GEN_DNS)
		names.domains.push_back(text_of(name->d.dNSName));
}

struct Identity
{
	std::string user;
	std::string host; // with its port, in lower case
};

// Of "sip:", "sips:" or nothing at all; without parameters.
Identity identity_of(std::string_view uri)
{
	const std::size_t colon = uri.find(':');
	if(colon != std::string_view::npos
			&& (lower(uri.substr(0, colon)) == "sip" || lower(uri.substr(0, colon)) == "sips"))
		uri.remove_prefix(colon + 1);
	uri = uri.substr(0, uri.find_first_of(";?"));
	const std::size_t at = uri.find('@');
	if(at == std::string_view::npos)
		return {"", lower(uri)};
	return {std::string(uri.substr(0, at)), lower(uri.substr(at + 1))};
}

bool same(const Identity &a, const Identity &b)
{
	return a.user == b.user && a.host == b.host && !a.host.empty();
}

// "" or what the verification says of it.
std::string untrusted(X509 *certificate, X509_STORE *trust)
{
	const StoreContextPtr context(X509_STORE_CTX_new_ex(library(), nullptr));
	if(context == nullptr || X509_STORE_CTX_init(context.get(), trust, certificate, nullptr) != 1)
		return openssl_error("the certificate cannot be verified");
	if(X509_verify_cert(context.get()) == 1)
		return "";
	const int error = X509_STORE_CTX_get_error(context.get());
	ERR_clear_error();
	return std::string("the certificate is not trusted: ") + X509_verify_cert_error_string(error);
}

} // namespace

Names names_of(const X509 *certificate)
{
	Names names;
	const BioPtr out = writer();
	X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
	names.subject = written(out.get());
	auto *const all = static_cast<GENERAL_NAMES *>(
			X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
	for(int i = 0; i < sk_GENERAL_NAME_num(all); ++i)
		add_name(names, sk_GENERAL_NAME_value(all, i));
	GENERAL_NAMES_free(all);
	ERR_clear_error();
	return names;
}

bool is_named(const Names &names, std::string_view identity)
{
	const Identity wanted = identity_of(identity);
	const auto is_wanted = [&](const std::string &name) { return same(identity_of(name), wanted); };
	if(std::ranges::any_of(names.uris, is_wanted))
		return true;
	return std::ranges::any_of(wanted.user.empty() ? names.domains : names.emails, is_wanted);
}

std::string shown(const Names &names)
{
	for(const auto *const kind : {&names.uris, &names.emails, &names.domains})
		if(!kind->empty())
			return kind->front();
	return names.subject;
}

bmd::Result<CertificatesPtr> read_certificates(std::string_view pem)
{
	CertificatesPtr all(sk_X509_new_null());
	const BioPtr in = reader(pem);
	for(;;) {
		X509 *into = X509_new_ex(library(), nullptr);
		const bool read = PEM_read_bio_X509(in.get(), &into, no_pass_phrase, nullptr) != nullptr;
		CertificatePtr one(into); // null when the reader has freed it
		if(!read)
			break;
		sk_X509_push(all.get(), one.release());
	}
	if(!at_the_end())
		return bmd::malformed(openssl_error("a certificate cannot be read"));
	if(sk_X509_num(all.get()) == 0)
		return bmd::malformed("there is no certificate in PEM form");
	return all;
}

bmd::Result<KeyPtr> read_key(const std::string &pem)
{
	const BioPtr in = reader(pem);
	KeyPtr key(PEM_read_bio_PrivateKey_ex(
			in.get(), nullptr, no_pass_phrase, nullptr, library(), nullptr));
	if(key == nullptr)
		return bmd::malformed(openssl_error("there is no private key in PEM form without a pass "
											"phrase"));
	return key;
}

bmd::Result<StorePtr> read_trust(std::string_view authorities, std::string_view revoked)
{
	StorePtr store(X509_STORE_new());
	// of who signs and of the authorities: their own signatures would be as weak
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_get0_param(store.get()), least_level);
	auto all = read_certificates(authorities);
	if(!all)
		return all.error();
	for(int i = 0; i < sk_X509_num(all->get()); ++i)
		if(X509_STORE_add_cert(store.get(), sk_X509_value(all->get(), i)) != 1)
			return bmd::malformed(openssl_error("an authority cannot be trusted"));
	if(revoked.empty())
		return store;
	const BioPtr in = reader(revoked);
	int lists = 0;
	while(const CrlPtr list{PEM_read_bio_X509_CRL(in.get(), nullptr, no_pass_phrase, nullptr)}) {
		++lists;
		if(X509_STORE_add_crl(store.get(), list.get()) != 1)
			return bmd::malformed(openssl_error("a list of revoked certificates cannot be used"));
	}
	if(!at_the_end() || lists == 0)
		return bmd::malformed("there is no list of revoked certificates in PEM form");
	// as module tls: authorities between may be revoked, too
	X509_STORE_set_flags(store.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return store;
}

std::string outside_its_time(const X509 *certificate)
{
	if(X509_cmp_current_time(X509_get0_notBefore(certificate)) >= 0)
		return "the certificate is not valid yet";
	if(X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
		return "the certificate has expired";
	return "";
}

std::string unfit_for_encryption(X509 *certificate, X509_STORE *trust)
{
	std::string why = outside_its_time(certificate);
	if(!why.empty())
		return why;
	EVP_PKEY *const key = X509_get0_pubkey(certificate);
	const bool agrees = key != nullptr && EVP_PKEY_is_a(key, "EC") == 1;
	if(key == nullptr || (!agrees && EVP_PKEY_is_a(key, "RSA") != 1))
		return "the certificate's key is neither RSA nor EC";
	if(EVP_PKEY_get_security_bits(key) < least_security_bits)
		return "the certificate's key is too short";
	const std::uint32_t needed = agrees ? KU_KEY_AGREEMENT : KU_KEY_ENCIPHERMENT;
	// all ones without the extension
	if((X509_get_key_usage(certificate) & needed) == 0)
		return std::string("the certificate's key usage is without ")
			   + (agrees ? "keyAgreement" : "keyEncipherment");
	if((X509_get_extended_key_usage(certificate) & (XKU_SMIME | XKU_ANYEKU)) == 0)
		return "the certificate's extended key usage is without emailProtection";
	return trust == nullptr ? "" : untrusted(certificate, trust);
}

std::string unfit_as_peer(X509 *certificate, X509_STORE *trust)
{
	std::string why = outside_its_time(certificate);
	return why.empty() && trust != nullptr ? untrusted(certificate, trust) : why;
}

} // namespace smime
