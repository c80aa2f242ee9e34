/// @file cms_test.cpp  Unit tests for cms/body.hpp, cms/cms.hpp and cms/certificate.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "authority.hpp"
#include "cms/body.hpp"
#include "suites.hpp"

namespace {

using bmd_test::Authority;
using smime::Body;
using smime::Headers;
using smime::Transfer;

const Headers request{{"From", "<sip:carol@bmd.example>;tag=1"}, {"To", "<sip:carol@bmd.example>"},
		{"Call-ID", "7@z"}, {"CSeq", "4 NOTIFY"}, {"Contact", "<sip:1.2.3.4>"},
		{"Event", "bmd-alert"}, {"Subscription-State", "active;expires=10"}};
const Body document{"application/dmp", "<DMPResponse>\n \xc3\xa4 \x01 </DMPResponse>\r\n\r\n", ""};
constexpr const char *server = "sip:bmd.example";

std::string why(const bmd::Result<smime::Verified> &result)
{
	return result ? "it is good" : result.error().reason;
}

std::string why(const bmd::Result<Body> &result)
{
	return result ? "it is good" : result.error().reason;
}

Body signed_by(const smime::Keyring &ring)
{
	auto body = smime::sign_body(ring, request, document, Transfer::binary);
	return body ? *body : Body{};
}

void what_is_signed_and_encrypted_is_read_and_found_good()
{
	Authority authority;
	for(const char *kind : {"P-256", "P-384", "2048"})
		for(const Transfer transfer : {Transfer::binary, Transfer::base64}) {
			const auto sender = authority.ring(authority.issue({.key = kind}));
			const auto person =
					authority.issue({.names = "URI:sip:carol@bmd.example", .key = kind});
			const auto reader = authority.ring(person);
			const auto one = smime::sign_body(*sender, request, document, transfer);
			CU_ASSERT(one.ok() && smime::is_signed(one->type) && !smime::is_encrypted(one->type));
			const auto recipient = bmd_test::certificate_of(person.certificate);
			BMD_EQUAL(smime::unfit_for_encryption(recipient.get(), reader->trust()), "");
			const auto two = smime::encrypt_body(*sender, recipient.get(), *one, transfer);
			CU_ASSERT(two.ok() && smime::is_encrypted(two->type));
			BMD_EQUAL(two->transfer, transfer == Transfer::base64 ? "base64" : "binary");
			CU_ASSERT(two->content.find("DMPResponse") == std::string::npos);
			const auto opened = smime::decrypt_body(*reader, *two);
			BMD_EQUAL(why(opened), "it is good");
			const auto good = smime::verify_body(*reader, request, *opened, server);
			BMD_EQUAL(why(good), "it is good");
			BMD_EQUAL(good->body.type, document.type);
			CU_ASSERT(good->body.content == document.content);
			BMD_EQUAL(smime::shown(good->signer), server);
		}
}

void a_request_without_a_body_is_signed_as_well()
{
	Authority authority;
	const auto ring = authority.ring(authority.issue({}));
	const auto body = smime::sign_body(*ring, request, {}, Transfer::binary);
	const auto good = smime::verify_body(*ring, request, *body, server);
	CU_ASSERT(good.ok() && good->body.type.empty() && good->body.content.empty());
}

void headers_that_were_changed_are_named()
{
	Authority authority;
	const auto ring = authority.ring(authority.issue({}));
	const Body body = signed_by(*ring);
	Headers other = request;
	other[3].value = "5 NOTIFY";
	BMD_EQUAL(why(smime::verify_body(*ring, other, body, server)), "the header CSeq was changed");
	other = request;
	other.push_back({"Expires", "0"});
	BMD_EQUAL(why(smime::verify_body(*ring, other, body, server)),
			"the header Expires is not covered by the signature");
	BMD_EQUAL(why(smime::verify_body(*ring, request, document, server)), "the body is not signed");
}

void only_who_is_trusted_and_named_may_sign()
{
	Authority authority, stranger("another authority");
	const auto ring = authority.ring(authority.issue({}));
	const auto carol = authority.ring(authority.issue({.names = "URI:sip:carol@bmd.example"}));
	BMD_EQUAL(why(smime::verify_body(*ring, request, signed_by(*carol), server)),
			"the signer is sip:carol@bmd.example, not sip:bmd.example");
	const auto forged = stranger.ring(stranger.issue({}));
	BMD_EQUAL(why(smime::verify_body(*ring, request, signed_by(*forged), server))
					  .starts_with("the signer is not trusted"),
			true);
	const auto web = authority.ring(authority.issue({.extended = "serverAuth"}));
	BMD_EQUAL(why(smime::verify_body(*ring, request, signed_by(*web), server))
					  .starts_with("the signer is not trusted"),
			true);
	const auto weak = authority.ring(authority.issue({.key = "1024"}));
	const std::string said = why(smime::verify_body(*ring, request, signed_by(*weak), server));
	BMD_EQUAL(said, "the signer is not trusted: Verify error: EE certificate key too weak");
}

void who_was_revoked_is_neither_believed_nor_told()
{
	Authority authority;
	const auto person = authority.issue({});
	const auto signer = authority.ring(person);
	const auto before = authority.ring(person, authority.revoke(""));
	const auto after = authority.ring(person, authority.revoke(person.certificate));
	const auto certificate = bmd_test::certificate_of(person.certificate);
	BMD_EQUAL(why(smime::verify_body(*before, request, signed_by(*signer), server)), "it is good");
	BMD_EQUAL(why(smime::verify_body(*after, request, signed_by(*signer), server)),
			"the signer is not trusted: Verify error: certificate revoked");
	BMD_EQUAL(smime::unfit_for_encryption(certificate.get(), before->trust()), "");
	BMD_EQUAL(smime::unfit_for_encryption(certificate.get(), after->trust()),
			"the certificate is not trusted: certificate revoked");
}

void what_an_authority_between_signs_is_not_believed_when_that_one_is_revoked()
{
	Authority authority;
	Authority between("authority between", authority);
	auto person = between.issue({});
	person.certificate += between.certificate();
	const auto signer = authority.ring(person);
	const auto before = authority.ring(person, authority.revoke("") + between.revoke(""));
	const auto after =
			authority.ring(person, authority.revoke(between.certificate()) + between.revoke(""));
	const auto none = authority.ring(person, between.revoke(""));
	BMD_EQUAL(why(smime::verify_body(*before, request, signed_by(*signer), server)), "it is good");
	BMD_EQUAL(why(smime::verify_body(*after, request, signed_by(*signer), server)),
			"the signer is not trusted: Verify error: certificate revoked");
	BMD_EQUAL(why(smime::verify_body(*none, request, signed_by(*signer), server)),
			"the signer is not trusted: Verify error: unable to get certificate CRL");
}

void who_is_believed_in_a_handshake_is_believed_until_revoked_or_expired_whatever_it_is_for()
{
	Authority authority, stranger("another authority");
	const auto person = authority.issue({.usage = "digitalSignature", .extended = "clientAuth"});
	const auto certificate = bmd_test::certificate_of(person.certificate);
	const auto before = authority.ring(person, authority.revoke(""));
	const auto after = authority.ring(person, authority.revoke(person.certificate));
	BMD_EQUAL(smime::unfit_as_peer(certificate.get(), before->trust()), "");
	BMD_EQUAL(smime::unfit_as_peer(certificate.get(), after->trust()),
			"the certificate is not trusted: certificate revoked");
	const auto late = authority.issue({.from = -7200, .until = -60});
	BMD_EQUAL(
			smime::unfit_as_peer(bmd_test::certificate_of(late.certificate).get(), before->trust()),
			"the certificate has expired");
	const auto other = stranger.issue({});
	BMD_EQUAL(
			smime::unfit_as_peer(bmd_test::certificate_of(other.certificate).get(), before->trust())
					.starts_with("the certificate is not trusted"),
			true);
}

void a_certificate_that_does_not_fit_says_why()
{
	Authority authority, stranger("another authority");
	const auto ring = authority.ring(authority.issue({}));
	const auto unfit = [&](Authority &by, const bmd_test::Wanted &wanted) {
		const auto person = by.issue(wanted);
		return smime::unfit_for_encryption(
				bmd_test::certificate_of(person.certificate).get(), ring->trust());
	};
	BMD_EQUAL(unfit(authority, {.from = -7200, .until = -60}), "the certificate has expired");
	BMD_EQUAL(unfit(authority, {.from = 60}), "the certificate is not valid yet");
	BMD_EQUAL(unfit(authority, {.key = "1024"}), "the certificate's key is too short");
	BMD_EQUAL(unfit(authority, {.usage = "digitalSignature"}),
			"the certificate's key usage is without keyAgreement");
	BMD_EQUAL(unfit(authority, {.key = "2048", .usage = "digitalSignature"}),
			"the certificate's key usage is without keyEncipherment");
	BMD_EQUAL(unfit(authority, {.extended = "serverAuth"}),
			"the certificate's extended key usage is without emailProtection");
	BMD_EQUAL(unfit(authority, {.usage = "keyAgreement", .extended = "emailProtection"}), "");
	BMD_EQUAL(unfit(stranger, {}).starts_with("the certificate is not trusted"), true);
	const auto late = authority.ring(authority.issue({.from = -7200, .until = -60}));
	BMD_EQUAL(why(smime::sign_body(*late, request, document, Transfer::binary)),
			"cannot sign: the certificate has expired");
}

void what_is_for_somebody_else_is_not_read()
{
	Authority authority;
	const auto person = authority.issue({});
	const auto ring = authority.ring(person);
	const auto other = authority.ring(authority.issue({}));
	const auto certificate = bmd_test::certificate_of(person.certificate);
	const auto body = smime::encrypt_body(*other, certificate.get(), document, Transfer::binary);
	BMD_EQUAL(why(smime::decrypt_body(*ring, *body)), "it is good");
	BMD_EQUAL(why(smime::decrypt_body(*other, *body)), "it is encrypted for another certificate");
	BMD_EQUAL(why(smime::decrypt_body(*ring, document)), "the body is not encrypted");
}

void keys_and_certificates_that_do_not_belong_together_are_refused()
{
	Authority authority;
	const auto one = authority.issue({});
	const auto two = authority.issue({});
	const auto reason = [](const smime::PemTexts &texts) {
		const auto ring = smime::Keyring::make(texts);
		return ring ? "it is good" : ring.error().reason;
	};
	BMD_EQUAL(reason({one.certificate, one.key, "", ""}), "it is good");
	BMD_EQUAL(reason({one.certificate, two.key, "", ""}),
			"key: it is not the key of the certificate");
	BMD_EQUAL(reason({one.certificate, "", "", ""}),
			"a certificate and its key belong together: one of them is missing");
	BMD_EQUAL(reason({"nonsense", one.key, "", ""}),
			"certificate: there is no certificate in PEM form");
	BMD_EQUAL(reason({"", "", "nonsense", ""}), "authorities: there is no certificate in PEM form");
	BMD_EQUAL(reason({"", "", authority.certificate(), "nonsense"}),
			"authorities: there is no list of revoked certificates in PEM form");
	std::string broken = one.certificate;
	broken.replace(100, 4, "AAAA");
	BMD_EQUAL(reason({broken, one.key, "", ""}).starts_with("certificate: "), true);
}

void names_are_those_of_sip()
{
	const smime::Names names{"CN=x", {"sip:carol@bmd.example", "sip:bmd.example"},
			{"dave@bmd.example"}, {"other.example"}};
	for(const char *good : {"sip:carol@bmd.example", "sips:carol@BMD.example;transport=tcp",
				"sip:bmd.example", "sip:other.example", "sip:dave@bmd.example"})
		CU_ASSERT(smime::is_named(names, good));
	for(const char *bad : {"sip:Carol@bmd.example", "sip:carol@bmd.example.org",
				"sip:eve@bmd.example", "sip:bmd.example:5061", "sip:eve@other.example", "sip:", ""})
		CU_ASSERT(!smime::is_named(names, bad));
}

CU_TestInfo cases[] = {BMD_CASE(what_is_signed_and_encrypted_is_read_and_found_good),
		BMD_CASE(a_request_without_a_body_is_signed_as_well),
		BMD_CASE(headers_that_were_changed_are_named),
		BMD_CASE(only_who_is_trusted_and_named_may_sign),
		BMD_CASE(who_was_revoked_is_neither_believed_nor_told),
		BMD_CASE(what_an_authority_between_signs_is_not_believed_when_that_one_is_revoked),
		BMD_CASE(
				who_is_believed_in_a_handshake_is_believed_until_revoked_or_expired_whatever_it_is_for),
		BMD_CASE(a_certificate_that_does_not_fit_says_why),
		BMD_CASE(what_is_for_somebody_else_is_not_read),
		BMD_CASE(keys_and_certificates_that_do_not_belong_together_are_refused),
		BMD_CASE(names_are_those_of_sip), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo cms_suite;
const CU_SuiteInfo cms_suite = BMD_SUITE("cms", cases);
