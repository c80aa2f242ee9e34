/// @file body.cpp  Bodies of SIP requests, signed and encrypted.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "body.hpp"

#include "mime.hpp"

namespace smime {

namespace {

constexpr std::string_view sipfrag = "message/sipfrag";
constexpr std::string_view sip = "message/sip";

std::string encoded(const std::string &der, Transfer transfer)
{
	return transfer == Transfer::base64 ? to_base64(der) : der;
}

std::string name_of(Transfer transfer)
{
	return transfer == Transfer::base64 ? "base64" : "binary";
}

std::string part_headers(const Body &body)
{
	std::string lines = "Content-Type: " + body.type + "\r\n";
	if(!body.transfer.empty())
		lines += "Content-Transfer-Encoding: " + body.transfer + "\r\n";
	return lines;
}

bmd::Error denied(std::string reason)
{
	return {bmd::Errc::denied, std::move(reason)};
}

// What stands in a part; without a Content-Type there is no body.
bmd::Result<Body> body_of(std::string_view part)
{
	auto entity = parse_entity(part);
	if(!entity)
		return entity.error();
	Body body;
	body.type = header_value(entity->head, "Content-Type");
	if(body.type.empty())
		body.type = header_value(entity->head, "c");
	if(body.type.empty() && !entity->body.empty())
		return bmd::malformed("the part has no Content-Type");
	body.transfer = header_value(entity->head, "Content-Transfer-Encoding");
	if(lower(body.transfer) == "base64" && !is_signed(body.type) && !is_encrypted(body.type)) {
		auto bytes = from_base64(entity->body);
		if(!bytes)
			return bytes.error();
		body.content = std::move(bytes).value();
		body.transfer.clear();
		return body;
	}
	body.content = entity->body;
	return body;
}

// The signed content of a body, and whose signature it is.
bmd::Result<Signed> verified_content(const Keyring &ring, const Body &body)
{
	const ContentType type = parse_content_type(body.type);
	if(type.type != "multipart/signed") {
		auto der = der_of(body.content);
		return der ? ring.verify(*der, nullptr) : bmd::Result<Signed>(der.error());
	}
	auto parts = split_signed(body.content, type.parameter("boundary"));
	if(!parts)
		return parts.error();
	auto der = der_of(parts->signature.body);
	if(!der)
		return der.error();
	auto good = ring.verify(*der, &parts->content);
	if(good)
		good->content = parts->content;
	return good;
}

} // namespace

bool is_signed(std::string_view value)
{
	const ContentType type = parse_content_type(value);
	if(type.type == "multipart/signed")
		return true;
	return type.type == "application/pkcs7-mime"
		   && lower(type.parameter("smime-type")) == "signed-data";
}

bool is_encrypted(std::string_view value)
{
	const ContentType type = parse_content_type(value);
	return (type.type == "application/pkcs7-mime" || type.type == "application/x-pkcs7-mime")
		   && lower(type.parameter("smime-type")) != "signed-data";
}

bmd::Result<Body> sign_body(
		const Keyring &ring, const Headers &headers, const Body &body, Transfer transfer)
{
	std::string content = "Content-Type: " + std::string(sipfrag) + "\r\n\r\n" + to_lines(headers);
	if(!body.type.empty())
		content += part_headers(body) + "\r\n" + body.content;
	auto signature = ring.sign(content);
	if(!signature)
		return signature.error();
	const std::string boundary = boundary_for(content);
	Body out;
	out.type = "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=" + ring.micalg()
			   + "; boundary=" + boundary;
	out.content = "--" + boundary + "\r\n" + content + "\r\n--" + boundary
				  + "\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
					"Content-Transfer-Encoding: "
				  + name_of(transfer) + "\r\n\r\n" + encoded(*signature, transfer) + "\r\n--"
				  + boundary + "--\r\n";
	return out;
}

bmd::Result<Body> encrypt_body(
		const Keyring &ring, X509 *recipient, const Body &body, Transfer transfer)
{
	auto der = ring.encrypt(part_headers(body) + "\r\n" + body.content, recipient);
	if(!der)
		return der.error();
	Body out;
	out.type = "application/pkcs7-mime; smime-type=authEnveloped-data; name=smime.p7m";
	out.content = encoded(*der, transfer);
	out.transfer = name_of(transfer);
	return out;
}

bmd::Result<Body> decrypt_body(const Keyring &ring, const Body &body)
{
	if(!is_encrypted(body.type))
		return denied("the body is not encrypted");
	auto der = der_of(body.content);
	if(!der)
		return der.error();
	auto content = ring.decrypt(*der);
	return content ? body_of(*content) : bmd::Result<Body>(content.error());
}

bmd::Result<Verified> verify_body(
		const Keyring &ring, const Headers &headers, const Body &body, std::string_view identity)
{
	if(!is_signed(body.type))
		return denied("the body is not signed");
	auto good = verified_content(ring, body);
	if(!good)
		return good.error();
	if(!is_named(good->signer, identity))
		return denied("the signer is " + shown(good->signer) + ", not " + std::string(identity));
	auto part = body_of(good->content);
	if(!part)
		return part.error();
	const std::string type = parse_content_type(part->type).type;
	const bool has_headers = type == sipfrag || type == sip;
	Headers covered;
	if(has_headers) {
		auto message = parse_entity(part->content);
		if(!message)
			return message.error();
		covered = from_lines(message->head);
	}
	const std::string differs = difference(covered, headers);
	if(!differs.empty())
		return denied(differs);
	auto inner = has_headers ? body_of(part->content) : part;
	if(!inner)
		return inner.error();
	return Verified{*inner, good->signer};
}

} // namespace smime
