/// @file cms_tamper_test.cpp  Whatever is changed in a signed or encrypted body is refused.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <openssl/cms.h>
#include <openssl/pem.h>

#include "authority.hpp"
#include "cms/body.hpp"
#include "suites.hpp"

namespace {

using bmd_test::Authority;
using smime::Body;
using smime::Headers;
using smime::Transfer;

const Headers request{{"To", "<sip:carol@bmd.example>"}, {"Call-ID", "7@z"}, {"CSeq", "4 NOTIFY"}};
const Body document{"application/dmp", "<DMPResponse>SpO2 84</DMPResponse>", ""};
constexpr const char *server = "sip:bmd.example";

struct Tally
{
	std::size_t refused = 0;
	std::size_t same = 0; // what was changed says nothing: the name of a file, say
	std::size_t different = 0;
};

template <class Read>
Tally flip_each(const Body &body, std::size_t begin, std::size_t end, Read read)
{
	Tally tally;
	for(std::size_t i = begin; i < end; ++i) {
		Body changed = body;
		changed.content[i] = static_cast<char>(changed.content[i] ^ 1);
		const bmd::Result<Body> result = read(changed);
		if(!result)
			++tally.refused;
		else if(result->type == document.type && result->content == document.content)
			++tally.same;
		else
			++tally.different;
	}
	return tally;
}

bmd::Result<Body> verified(const smime::Keyring &ring, const Body &body)
{
	auto good = smime::verify_body(ring, request, body, server);
	return good ? bmd::Result<Body>(good->body) : bmd::Result<Body>(good.error());
}

void every_byte_of_what_is_signed_counts()
{
	Authority authority;
	const auto ring = authority.ring(authority.issue({}));
	const Body body = *smime::sign_body(*ring, request, document, Transfer::binary);
	const std::size_t begin = body.content.find("Content-Type: message/sipfrag");
	const std::size_t end = body.content.find("</DMPResponse>") + 14;
	const Tally tally = flip_each(
			body, begin, end, [&](const Body &changed) { return verified(*ring, changed); });
	BMD_EQUAL(tally.refused, end - begin);
}

void no_changed_byte_of_a_signed_body_makes_another_document()
{
	Authority authority;
	const auto ring = authority.ring(authority.issue({}));
	const Body body = *smime::sign_body(*ring, request, document, Transfer::binary);
	const Tally tally = flip_each(body, 0, body.content.size(),
			[&](const Body &changed) { return verified(*ring, changed); });
	BMD_EQUAL(tally.different, 0U);
	CU_ASSERT(tally.refused > body.content.size() * 8 / 10);
}

void every_byte_of_what_is_encrypted_counts()
{
	Authority authority;
	for(const char *kind : {"P-256", "2048"}) {
		const auto person = authority.issue({.key = kind});
		const auto ring = authority.ring(person);
		const auto certificate = bmd_test::certificate_of(person.certificate);
		const Body body =
				*smime::encrypt_body(*ring, certificate.get(), document, Transfer::binary);
		const Tally tally = flip_each(body, 0, body.content.size(),
				[&](const Body &changed) { return smime::decrypt_body(*ring, changed); });
		BMD_EQUAL(tally.different, 0U);
		// version numbers and the like, which nobody looks at
		CU_ASSERT(tally.same <= 16);
	}
}

// DER that OpenSSL makes of anything.
std::string der_of(CMS_ContentInfo *cms)
{
	unsigned char *bytes = nullptr;
	const int length = i2d_CMS_ContentInfo(cms, &bytes);
	std::string der(reinterpret_cast<const char *>(bytes), static_cast<std::size_t>(length));
	OPENSSL_free(bytes);
	return der;
}

void what_is_not_authenticated_is_not_decrypted()
{
	Authority authority;
	const auto person = authority.issue({});
	const auto ring = authority.ring(person);
	auto all = smime::read_certificates(person.certificate);
	const auto in = smime::reader("Content-Type: application/dmp\r\n\r\n<DMPAction/>");
	const smime::CmsPtr cbc(CMS_encrypt(all->get(), in.get(), EVP_aes_256_cbc(), CMS_BINARY));
	const auto result = ring->decrypt(der_of(cbc.get()));
	BMD_EQUAL(result ? "decrypted" : result.error().reason,
			"what is encrypted is not authenticated: AuthEnvelopedData with AES-GCM is taken");
}

// Lengths of the three outer elements, and the tag at the end, made shorter.
std::string with_short_tag(std::string der, int by)
{
	const auto shorten = [&](std::size_t at) {
		const int length =
				static_cast<unsigned char>(der[at]) << 8 | static_cast<unsigned char>(der[at + 1]);
		der[at] = static_cast<char>((length - by) >> 8);
		der[at + 1] = static_cast<char>(length - by);
	};
	const std::size_t inner = 4 + 13; // behind SEQUENCE and the type
	shorten(2);
	shorten(inner + 2);
	shorten(inner + 4 + 2);
	der[der.size() - 17] = static_cast<char>(16 - by);
	der.resize(der.size() - static_cast<std::size_t>(by));
	return der;
}

void a_tag_that_was_cut_is_refused()
{
	Authority authority;
	const auto person = authority.issue({});
	const auto ring = authority.ring(person);
	const auto certificate = bmd_test::certificate_of(person.certificate);
	const auto der =
			ring->encrypt("Content-Type: application/dmp\r\n\r\n<DMPAction/>", certificate.get());
	CU_ASSERT(der.ok() && ring->decrypt(*der).ok());
	for(const int by : {5, 8, 12, 15}) {
		const auto result = ring->decrypt(with_short_tag(*der, by));
		BMD_EQUAL(result ? "decrypted" : result.error().reason,
				"the authentication tag is too short");
	}
}

std::string reason_of_signature(const char *digest, int signers)
{
	Authority authority;
	const auto person = authority.issue({});
	const auto ring = authority.ring(person);
	const auto certificate = bmd_test::certificate_of(person.certificate);
	const auto key = smime::read_key(person.key);
	const std::string content = "Content-Type: application/dmp\r\n\r\n<DMPAction/>";
	const auto in = smime::reader(content);
	const smime::CmsPtr cms(
			CMS_sign(nullptr, nullptr, nullptr, in.get(), CMS_BINARY | CMS_PARTIAL));
	for(int i = 0; i < signers; ++i)
		CMS_add1_signer(cms.get(), certificate.get(), key->get(), EVP_get_digestbyname(digest),
				CMS_BINARY | (i > 0 ? CMS_NOCERTS : 0));
	CMS_final(cms.get(), in.get(), nullptr, CMS_BINARY);
	const auto result = ring->verify(der_of(cms.get()), nullptr);
	return result ? "good: " + result->content : result.error().reason;
}

void weak_digests_and_several_signatures_are_refused()
{
	BMD_EQUAL(reason_of_signature("SHA256", 1),
			"good: Content-Type: application/dmp\r\n\r\n<DMPAction/>");
	BMD_EQUAL(reason_of_signature("SHA1", 1), "the signature's digest is weaker than SHA-256");
	BMD_EQUAL(reason_of_signature("SHA256", 2), "there must be one signature, not 2");
	BMD_EQUAL(reason_of_signature("SHA256", 0), "there must be one signature, not 0");
}

void a_signature_of_a_content_is_of_no_other()
{
	Authority authority;
	const auto ring = authority.ring(authority.issue({}));
	const auto signature = ring->sign("this");
	const std::string_view mine = "this";
	const std::string_view other = "that";
	CU_ASSERT(ring->verify(*signature, &mine).ok());
	CU_ASSERT(!ring->verify(*signature, &other).ok());
	CU_ASSERT(!ring->verify(*signature, nullptr).ok());
	CU_ASSERT(!ring->verify(*signature + "x", &mine).ok());
	CU_ASSERT(!ring->verify("", &mine).ok());
	CU_ASSERT(!ring->decrypt(*signature).ok());
}

// `der` with a list of revoked certificates in it, as its signer may put one there.
std::string with_list(std::string_view der, const std::string &list)
{
	const auto *bytes = reinterpret_cast<const unsigned char *>(der.data());
	const smime::CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &bytes, static_cast<long>(der.size())));
	const auto in = smime::reader(list);
	const smime::CrlPtr revoked(PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr));
	CU_ASSERT(CMS_add1_crl(cms.get(), revoked.get()) == 1);
	return der_of(cms.get());
}

void a_list_that_comes_with_a_signature_revokes_nobody_and_acquits_nobody()
{
	Authority authority;
	const auto person = authority.issue({});
	const auto ring = authority.ring(person);
	const auto after = authority.ring(person, authority.revoke(person.certificate));
	const std::string_view content = "this";
	const auto signature = ring->sign(content);
	CU_ASSERT(ring->verify(with_list(*signature, authority.revoke(person.certificate)), &content)
					  .ok());
	const auto result = after->verify(with_list(*signature, authority.revoke("")), &content);
	BMD_EQUAL(result ? "good" : result.error().reason,
			"the signer is not trusted: Verify error: certificate revoked");
}

CU_TestInfo cases[] = {BMD_CASE(every_byte_of_what_is_signed_counts),
		BMD_CASE(no_changed_byte_of_a_signed_body_makes_another_document),
		BMD_CASE(every_byte_of_what_is_encrypted_counts),
		BMD_CASE(what_is_not_authenticated_is_not_decrypted),
		BMD_CASE(a_tag_that_was_cut_is_refused),
		BMD_CASE(weak_digests_and_several_signatures_are_refused),
		BMD_CASE(a_signature_of_a_content_is_of_no_other),
		BMD_CASE(a_list_that_comes_with_a_signature_revokes_nobody_and_acquits_nobody),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo cms_tamper_suite;
const CU_SuiteInfo cms_tamper_suite = BMD_SUITE("cms_tamper", cases);
