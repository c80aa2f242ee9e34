/// @file sealing.cpp  What this terminal sends, signed with its headers and encrypted for the
/// server. SPDX-License-Identifier: GPL-2.0-or-later

#include "sealing.hpp"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_uniqueid.h>

#include <array>
#include <exception>
#include <utility>

#include "digest_client.hpp"

namespace bmd::watch {

namespace {

std::string new_call_id()
{
	constexpr std::string_view digits = "0123456789abcdef";
	std::array<unsigned char, 16> random{};
	su_randmem(random.data(), random.size());
	std::string id;
	for(const unsigned char byte : random)
		id.append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
	return id;
}

template <class Header> void remove_all(msg_t *msg, sip_t *sip, Header *const &first)
{
	while(first != nullptr)
		msg_header_remove(
				msg, reinterpret_cast<msg_pub_t *>(sip), reinterpret_cast<msg_header_t *>(first));
}

template <class Header> bool insert(msg_t *msg, sip_t *sip, Header *header)
{
	return header != nullptr
		   && msg_header_insert(msg, reinterpret_cast<msg_pub_t *>(sip),
					  reinterpret_cast<msg_header_t *>(header))
					  >= 0;
}

bool replace_body(msg_t *msg, sip_t *sip, const smime::Body &body)
{
	remove_all(msg, sip, sip->sip_payload);
	remove_all(msg, sip, sip->sip_content_type);
	remove_all(msg, sip, sip->sip_content_length); // the stack writes it anew
	return insert(msg, sip, sip_content_type_make(msg_home(msg), body.type.c_str()))
		   && insert(msg, sip,
				   sip_payload_create(msg_home(msg), body.content.data(), body.content.size()));
}

} // namespace

Sealing::Sealing(const Protection &protection) : protection_(protection)
{
	before_credentials([this](msg_t *request) { return seal(request); });
}

Sealing::~Sealing()
{
	before_credentials(nullptr);
}

std::string Sealing::keep(smime::Body body)
{
	std::string id = new_call_id();
	bodies_.insert_or_assign(id, std::move(body));
	return id;
}

bool Sealing::seal(msg_t *request)
{
	sip_t *const sip = sip_object(request);
	if(!on() || sip == nullptr || sip->sip_request == nullptr || sip->sip_call_id == nullptr)
		return true;
	const sip_method_t method = sip->sip_request->rq_method;
	if(method != sip_method_subscribe && method != sip_method_message)
		return true;
	try {
		const auto kept = bodies_.find(sip->sip_call_id->i_id);
		const auto sealed =
				protection_.seal(sip, kept == bodies_.end() ? smime::Body() : kept->second);
		reason_ = sealed ? "" : sealed.error().reason;
		if(sealed && !replace_body(request, sip, *sealed))
			reason_ = "no memory";
	} catch(const std::exception &failure) {
		reason_ = failure.what();
	}
	return reason_.empty();
}

} // namespace bmd::watch
