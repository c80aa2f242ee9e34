/// @file smime_body.cpp  Fuzz target: signed and encrypted bodies, as a stranger would make them.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The first byte says what the input is: a multipart/signed body, an application/pkcs7-mime body,
/// or changes of a good signed or encrypted one, four bytes each: place (2), what, a byte.

#include <string>

#include "../unit/authority.hpp"
#include "cms/body.hpp"
#include "fuzz.hpp"

namespace {

using fuzz::require;
using smime::Body;

constexpr const char *server = "sip:bmd.example";

// Keys are made anew with each run: no input can hold a good signature of its own.
struct Scene
{
	smime::Headers headers{
			{"To", "<sip:carol@bmd.example>"}, {"Call-ID", "7@z"}, {"CSeq", "4 NOTIFY"}};
	Body document{"application/dmp", "<DMPResponse>SpO2 84</DMPResponse>", ""};
	bmd_test::Authority authority;
	bmd_test::Person person = authority.issue({});
	std::unique_ptr<smime::Keyring> ring = authority.ring(person);
	smime::CertificatePtr certificate = bmd_test::certificate_of(person.certificate);
	Body good[4] = {*smime::sign_body(*ring, headers, document, smime::Transfer::binary),
			*smime::sign_body(*ring, headers, document, smime::Transfer::base64),
			*smime::encrypt_body(*ring, certificate.get(), document, smime::Transfer::binary),
			*smime::encrypt_body(*ring, certificate.get(), document, smime::Transfer::base64)};
};

const Scene &scene()
{
	static const Scene made;
	return made;
}

void change(std::string &content, std::string_view changes)
{
	for(; changes.size() >= 4 && !content.empty(); changes.remove_prefix(4)) {
		const std::size_t at = (static_cast<unsigned char>(changes[0]) << 8
									   | static_cast<unsigned char>(changes[1]))
							   % content.size();
		const char value = changes[3];
		switch(changes[2] & 3) {
			case 0:
				content[at] = static_cast<char>(content[at] ^ value);
				break;
			case 1:
				content.insert(at, 1, value);
				break;
			case 2:
				content.erase(at, static_cast<unsigned char>(value));
				break;
			default: // what stands there, once more
				content.insert(at, content.substr(at, static_cast<unsigned char>(value)));
		}
	}
}

void look_at_signed(const Body &body, bool may_be_good)
{
	const auto read = smime::verify_body(*scene().ring, scene().headers, body, server);
	if(!read)
		return fuzz::require_reason(read.error().reason);
	require(may_be_good, "nobody else can sign");
	require(read->body.type == scene().document.type
					&& read->body.content == scene().document.content,
			"what is verified is what was signed");
}

void look_at_encrypted(const Body &body, bool may_be_good)
{
	const auto read = smime::decrypt_body(*scene().ring, body);
	if(!read)
		return fuzz::require_reason(read.error().reason);
	require(may_be_good, "what is made up is not decrypted");
	require(read->type == scene().document.type && read->content == scene().document.content,
			"what is decrypted is what was encrypted");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if(size == 0)
		return 0;
	const unsigned kind = data[0] % 6U;
	const std::string_view rest = fuzz::text(data + 1, size - 1);
	if(kind == 4) {
		look_at_signed({"multipart/signed; boundary=b; micalg=sha-256; "
						"protocol=\"application/pkcs7-signature\"",
							   std::string(rest), ""},
				false);
	} else if(kind == 5) {
		look_at_encrypted(
				{"application/pkcs7-mime; smime-type=authEnveloped-data", std::string(rest), ""},
				false);
	} else {
		Body body = scene().good[kind];
		change(body.content, rest);
		if(kind < 2)
			look_at_signed(body, true);
		else
			look_at_encrypted(body, true);
	}
	return 0;
}
