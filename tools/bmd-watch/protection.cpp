/// @file protection.cpp  Bodies that are signed and encrypted for the person at this terminal.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "protection.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su_alloc.h>
#include <sstream>
#include <utility>

#include "cms/mime.hpp"

namespace bmd::watch {

namespace {

Result<std::string> content_of(const std::string &file)
{
	if(file.empty())
		return std::string();
	errno = 0;
	std::ifstream in(file, std::ios::binary);
	std::ostringstream text;
	if(!in || !(text << in.rdbuf()))
		return malformed(
				"cannot read " + file + ": " + (errno != 0 ? std::strerror(errno) : "it is empty"));
	return text.str();
}

// The value as it came; the stack keeps a copy of each line.
std::string value_of(const msg_header_t *header)
{
	if(header->sh_data != nullptr) {
		const std::string line(static_cast<const char *>(header->sh_data), header->sh_len);
		const std::size_t colon = line.find(':');
		return colon == std::string::npos ? ""
										  : std::string(smime::trimmed(line.substr(colon + 1)));
	}
	auto *const home = static_cast<su_home_t *>(su_home_new(sizeof(su_home_t)));
	const char *const text =
			sip_header_as_string(home, reinterpret_cast<const sip_header_t *>(header));
	std::string value = text != nullptr ? text : "";
	su_home_unref(home);
	return value;
}

// All headers of one name; those that came in one line count once.
void add(smime::Headers &headers, const char *name, const void *first)
{
	for(const auto *header = static_cast<const msg_header_t *>(first); header != nullptr;
			header = static_cast<const msg_header_t *>(header->sh_next)) {
		if(header->sh_data != nullptr && header->sh_len == 0)
			continue;
		headers.push_back({name, value_of(header)});
	}
}

smime::Headers headers_of(const sip_t &sip)
{
	smime::Headers headers;
	add(headers, "From", sip.sip_from);
	add(headers, "To", sip.sip_to);
	add(headers, "Call-ID", sip.sip_call_id);
	add(headers, "CSeq", sip.sip_cseq);
	add(headers, "Contact", sip.sip_contact);
	add(headers, "Event", sip.sip_event);
	add(headers, "Expires", sip.sip_expires);
	add(headers, "Subscription-State", sip.sip_subscription_state);
	add(headers, "Route", sip.sip_route);
	return headers;
}

smime::Body body_of(const sip_t &sip)
{
	smime::Body body;
	if(sip.sip_payload == nullptr || sip.sip_payload->pl_len == 0)
		return body;
	body.content.assign(sip.sip_payload->pl_data, sip.sip_payload->pl_len);
	if(sip.sip_content_type == nullptr)
		return body;
	body.type = sip.sip_content_type->c_type != nullptr ? sip.sip_content_type->c_type : "";
	for(const char *const *parameter = sip.sip_content_type->c_params;
			parameter != nullptr && *parameter != nullptr; ++parameter)
		body.type.append(";").append(*parameter);
	return body;
}

Opened opened(smime::Body body)
{
	return {smime::parse_content_type(body.type).type, std::move(body.content), ""};
}

std::string domain_of(const std::string &aor)
{
	const std::size_t at = aor.find('@');
	const std::size_t begin = at == std::string::npos ? aor.find(':') + 1 : at + 1;
	return aor.substr(begin, aor.find_first_of(";?", begin) - begin);
}

} // namespace

Result<std::unique_ptr<Protection>> Protection::load(const Options &options)
{
	auto protection = std::make_unique<Protection>();
	protection->server_ = "sip:" + domain_of(options.aor);
	if(options.authorities.empty())
		return protection;
	smime::PemTexts texts;
	for(const auto &[file, text] : {std::pair(&options.certificate, &texts.certificate),
				std::pair(&options.key, &texts.key),
				std::pair(&options.authorities, &texts.authorities),
				std::pair(&options.revoked, &texts.revoked)}) {
		auto read = content_of(*file);
		if(!read)
			return read.error();
		*text = std::move(read).value();
	}
	auto ring = smime::Keyring::make(texts);
	if(!ring)
		return ring.error();
	protection->ring_ = std::move(ring).value();
	protection->sign_ = options.sign;
	return options.server_certificate.empty()
				   ? bmd::Result<std::unique_ptr<Protection>>(std::move(protection))
				   : with_recipient(std::move(protection), options.server_certificate);
}

Result<std::unique_ptr<Protection>> Protection::with_recipient(
		std::unique_ptr<Protection> protection, const std::string &file)
{
	auto text = content_of(file);
	if(!text)
		return text.error();
	auto certificates = smime::read_certificates(*text);
	if(!certificates)
		return malformed(file + ": " + certificates.error().reason);
	protection->recipient_ = std::move(certificates).value();
	return protection;
}

Result<smime::Body> Protection::seal(const sip_t *sip, const smime::Body &body) const
{
	auto whole = smime::sign_body(*ring_, headers_of(*sip), body, smime::Transfer::binary);
	if(!whole || recipient_ == nullptr)
		return whole;
	X509 *const server = sk_X509_value(recipient_.get(), 0);
	if(const std::string unfit = smime::unfit_for_encryption(server, ring_->trust());
			!unfit.empty())
		return malformed("cannot encrypt for the server: " + unfit);
	return smime::encrypt_body(*ring_, server, *whole, smime::Transfer::binary);
}

Opened Protection::open(const sip_t *sip) const
{
	smime::Body body = body_of(*sip);
	const bool sealed = smime::is_encrypted(body.type) || smime::is_signed(body.type);
	if(ring_ == nullptr)
		return sealed ? Opened{"", "",
					   "it is signed or encrypted: --ca, --certificate and --key are "
					   "needed to read it"}
					  : opened(std::move(body));
	if(smime::is_encrypted(body.type)) {
		auto inner = smime::decrypt_body(*ring_, body);
		if(!inner)
			return {"", "", inner.error().reason};
		body = std::move(inner).value();
	}
	auto good = smime::verify_body(*ring_, headers_of(*sip), body, server_);
	if(!good)
		return {"", "", good.error().reason};
	return opened(std::move(good->body));
}

} // namespace bmd::watch
