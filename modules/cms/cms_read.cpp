/// @file cms_read.cpp  Cryptographic Message Syntax: taken.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "cms.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

namespace smime {

namespace {

constexpr std::size_t least_tag = 12; // bytes; RFC 5084, 3.2

bmd::Result<CmsPtr> parse(std::string_view der)
{
	const auto *bytes = reinterpret_cast<const unsigned char *>(der.data());
	const auto *const end = bytes + der.size();
	CMS_ContentInfo *into = CMS_ContentInfo_new_ex(library(), nullptr);
	const bool read = d2i_CMS_ContentInfo(&into, &bytes, static_cast<long>(der.size())) != nullptr;
	CmsPtr cms(into); // null when the reader has freed it
	if(!read)
		return bmd::malformed(openssl_error("this is no CMS"));
	if(bytes != end)
		return bmd::malformed("there is something behind the CMS");
	return cms;
}

// One element of DER.
struct Element
{
	int tag = 0;
	int kind = 0; // universal, context-specific
	std::string_view content;
};

// The elements that stand beside each other; fewer when there is nonsense among them.
std::vector<Element> elements_of(std::string_view der)
{
	std::vector<Element> all;
	while(!der.empty()) {
		const auto *at = reinterpret_cast<const unsigned char *>(der.data());
		long length = 0;
		Element one;
		const int result =
				ASN1_get_object(&at, &length, &one.tag, &one.kind, static_cast<long>(der.size()));
		if((result & 0x80) != 0 || (result & 1) != 0)
			break;
		const auto head =
				static_cast<std::size_t>(at - reinterpret_cast<const unsigned char *>(der.data()));
		one.content = der.substr(head, static_cast<std::size_t>(length));
		der.remove_prefix(head + one.content.size());
		all.push_back(one);
	}
	ERR_clear_error();
	return all;
}

const Element *find(const std::vector<Element> &all, int tag)
{
	const auto found = std::ranges::find_if(all,
			[&](const Element &one) { return one.kind == V_ASN1_UNIVERSAL && one.tag == tag; });
	return found == all.end() ? nullptr : &*found;
}

int nid_of(std::string_view object)
{
	const auto *bytes = reinterpret_cast<const unsigned char *>(object.data());
	ASN1_OBJECT *const id = ASN1_OBJECT_create(NID_undef, const_cast<unsigned char *>(bytes),
			static_cast<int>(object.size()), nullptr, nullptr);
	const int nid = OBJ_obj2nid(id);
	ASN1_OBJECT_free(id);
	return nid;
}

bool is_gcm(int nid)
{
	return nid == NID_aes_256_gcm || nid == NID_aes_192_gcm || nid == NID_aes_128_gcm;
}

// "" or what is wrong: OpenSSL would take any cipher, and a tag of one byte.
std::string unfit_envelope(CMS_ContentInfo *cms)
{
	if(OBJ_obj2nid(CMS_get0_type(cms)) != NID_id_smime_ct_authEnvelopedData)
		return "what is encrypted is not authenticated: AuthEnvelopedData with AES-GCM is taken";
	unsigned char *bytes = nullptr; // written anew: DER, whatever it was
	const int length = i2d_CMS_ContentInfo(cms, &bytes);
	if(length <= 0)
		return openssl_error("the CMS cannot be written");
	const std::string der(reinterpret_cast<const char *>(bytes), static_cast<std::size_t>(length));
	OPENSSL_free(bytes);
	const auto outer = elements_of(der);
	const auto info = elements_of(outer.empty() ? std::string_view() : outer.front().content);
	const auto wrapped = elements_of(info.size() < 2 ? std::string_view() : info[1].content);
	const auto envelope =
			elements_of(wrapped.empty() ? std::string_view() : wrapped.front().content);
	const Element *const encrypted = find(envelope, V_ASN1_SEQUENCE);
	const Element *const tag = find(envelope, V_ASN1_OCTET_STRING);
	const auto content =
			elements_of(encrypted == nullptr ? std::string_view() : encrypted->content);
	const Element *const algorithm = find(content, V_ASN1_SEQUENCE);
	const auto parts = elements_of(algorithm == nullptr ? std::string_view() : algorithm->content);
	if(parts.empty() || !is_gcm(nid_of(parts.front().content)))
		return "what is encrypted is not encrypted with AES-GCM";
	if(tag == nullptr || tag->content.size() < least_tag)
		return "the authentication tag is too short";
	return "";
}

bool is_for(CMS_RecipientInfo *recipient, X509 *certificate)
{
	if(CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_TRANS)
		return CMS_RecipientInfo_ktri_cert_cmp(recipient, certificate) == 0;
	if(CMS_RecipientInfo_type(recipient) != CMS_RECIPINFO_AGREE)
		return false;
	STACK_OF(CMS_RecipientEncryptedKey) *const keys = CMS_RecipientInfo_kari_get0_reks(recipient);
	for(int i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); ++i)
		if(CMS_RecipientEncryptedKey_cert_cmp(
				   sk_CMS_RecipientEncryptedKey_value(keys, i), certificate)
				== 0)
			return true;
	return false;
}

bool is_for(CMS_ContentInfo *cms, X509 *certificate)
{
	STACK_OF(CMS_RecipientInfo) *const all = CMS_get0_RecipientInfos(cms);
	for(int i = 0; i < sk_CMS_RecipientInfo_num(all); ++i)
		if(is_for(sk_CMS_RecipientInfo_value(all, i), certificate))
			return true;
	return false;
}

bool is_taken(int digest)
{
	static constexpr std::array taken{
			NID_sha256, NID_sha384, NID_sha512, NID_sha3_256, NID_sha3_384, NID_sha3_512};
	return std::ranges::find(taken, digest) != taken.end();
}

// "" or what is wrong.
std::string unfit_signature(CMS_ContentInfo *cms)
{
	if(OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		return "this is no signature";
	STACK_OF(CMS_SignerInfo) *const all = CMS_get0_SignerInfos(cms);
	if(sk_CMS_SignerInfo_num(all) != 1)
		return "there must be one signature, not "
			   + std::to_string(std::max(0, sk_CMS_SignerInfo_num(all)));
	X509_ALGOR *digest = nullptr;
	X509_ALGOR *signature = nullptr;
	CMS_SignerInfo_get0_algs(
			sk_CMS_SignerInfo_value(all, 0), nullptr, nullptr, &digest, &signature);
	const ASN1_OBJECT *id = nullptr;
	X509_ALGOR_get0(&id, nullptr, nullptr, digest);
	if(!is_taken(OBJ_obj2nid(id)))
		return "the signature's digest is weaker than SHA-256";
	X509_ALGOR_get0(&id, nullptr, nullptr, signature);
	int with = NID_undef;
	if(OBJ_find_sigid_algs(OBJ_obj2nid(id), &with, nullptr) == 1 && with != NID_undef
			&& !is_taken(with))
		return "the signature's algorithm uses a digest weaker than SHA-256";
	return "";
}

// OpenSSL's words for what a person should know.
std::string why_not_verified()
{
	const unsigned long error = ERR_peek_last_error();
	const char *data = nullptr;
	int flags = 0;
	ERR_peek_last_error_all(nullptr, nullptr, nullptr, &data, &flags);
	const int reason = ERR_GET_LIB(error) == ERR_LIB_CMS ? ERR_GET_REASON(error) : 0;
	std::string text = "it was changed on its way";
	if(reason == CMS_R_SIGNER_CERTIFICATE_NOT_FOUND)
		text = "the signer's certificate is not with it";
	if(reason == CMS_R_CERTIFICATE_VERIFY_ERROR) {
		text = "the signer is not trusted";
		if((flags & ERR_TXT_STRING) != 0 && data != nullptr)
			text.append(": ").append(data);
	}
	ERR_clear_error();
	return text;
}

} // namespace

bmd::Result<std::string> Keyring::decrypt(std::string_view der) const
{
	if(key_ == nullptr)
		return bmd::Error{bmd::Errc::denied, "there is no key to decrypt it with"};
	auto cms = parse(der);
	if(!cms)
		return cms.error();
	const std::string unfit = unfit_envelope(cms->get());
	if(!unfit.empty())
		return bmd::Error{bmd::Errc::denied, unfit};
	const BioPtr out = writer();
	X509 *const own = sk_X509_value(chain_.get(), 0);
	if(CMS_decrypt(cms->get(), key_.get(), own, nullptr, out.get(), CMS_BINARY) == 1)
		return written(out.get());
	ERR_clear_error();
	return bmd::malformed(is_for(cms->get(), own)
								  ? "it cannot be decrypted: it was changed on its way"
								  : "it is encrypted for another certificate");
}

bmd::Result<Signed> Keyring::verify(std::string_view der, const std::string_view *content) const
{
	if(trust_ == nullptr)
		return bmd::Error{bmd::Errc::denied, "no authority is known to verify it with"};
	auto cms = parse(der);
	if(!cms)
		return cms.error();
	const std::string unfit = unfit_signature(cms->get());
	if(!unfit.empty())
		return bmd::Error{bmd::Errc::denied, unfit};
	if((CMS_is_detached(cms->get()) == 1) != (content != nullptr))
		return bmd::malformed(content != nullptr ? "the signature holds a content of its own"
												 : "the signature has no content");
	const BioPtr in = content != nullptr ? detached_reader(*content) : BioPtr();
	const BioPtr out = writer();
	// a list of revoked certificates that comes with it would be asked before ours, and may be
	// older
	if(CMS_verify(cms->get(), nullptr, trust_.get(), in.get(), out.get(), CMS_BINARY | CMS_NOCRL)
			!= 1)
		return bmd::Error{bmd::Errc::denied, why_not_verified()};
	STACK_OF(X509) *const signers = CMS_get0_signers(cms->get());
	Signed result;
	if(content == nullptr)
		result.content = written(out.get());
	if(sk_X509_num(signers) == 1)
		result.signer = names_of(sk_X509_value(signers, 0));
	sk_X509_free(signers);
	return result;
}

} // namespace smime
