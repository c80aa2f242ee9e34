/// @file smime_core.cpp  What the script asks for, behind smime_core.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nothing here lets an exception out into C.

#include "smime_core.h"

#include <cstring>
#include <exception>

#include "../cms/body.hpp"
#include "files.hpp"
#include "recipients.hpp"

namespace {

using smime::Body;
using smime::Transfer;

const smime_settings *settings = nullptr;

// Of this process; what they hold of OpenSSL is made after the fork.  They live as long as it: at
// its end OpenSSL's memory may be gone before them.
smime::Files &files()
{
	static auto *const all = new smime::Files;
	return *all;
}

smime::Recipients &recipients()
{
	static auto *const all = new smime::Recipients(smime::unfit_for_encryption);
	return *all;
}

// Of those who show a certificate in a TLS handshake: other authorities, perhaps.
smime::Files &peer_files()
{
	static auto *const all = new smime::Files;
	return *all;
}

smime::Recipients &peers()
{
	static auto *const all = new smime::Recipients(smime::unfit_as_peer);
	return *all;
}

Body made; // what the last call handed out

std::string_view view(smime_text text)
{
	return text.s == nullptr ? std::string_view() : std::string_view(text.s, text.len);
}

smime_text text(const std::string &from)
{
	return {from.data(), from.size()};
}

// Others' words go into headers and logs.
template <std::size_t N> void put(char (&to)[N], std::string_view from)
{
	std::size_t length = 0;
	for(const char c : from.substr(0, N - 1))
		to[length++] = c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c;
	to[length] = '\0';
}

void hand_out(Body body, smime_outcome &outcome)
{
	made = std::move(body);
	outcome.type = text(made.type);
	outcome.transfer = text(made.transfer);
	outcome.body = text(made.content);
	outcome.done = 1;
}

void finish(bmd::Result<Body> result, smime_outcome &outcome)
{
	if(result)
		hand_out(std::move(result).value(), outcome);
	else
		put(outcome.reason, result.error().reason);
}

Body body_of(const smime_request &request)
{
	return {std::string(view(request.type)), std::string(view(request.body)),
			std::string(view(request.transfer))};
}

smime::Headers headers_of(const smime_request &request)
{
	smime::Headers headers;
	for(int i = 0; i < request.header_count; ++i) {
		const smime_header &one = request.headers[i];
		const std::string_view name = smime::covered_name(view(one.name));
		if(!name.empty())
			headers.push_back({std::string(name), std::string(view(one.value))});
	}
	return headers;
}

Transfer transfer()
{
	return settings->base64 != 0 ? Transfer::base64 : Transfer::binary;
}

// With the files as they are; nothing is done without.
template <class Work>
void with_ring(smime_outcome *outcome, Work work, smime::Files &(*of)() = files) noexcept
{
	*outcome = smime_outcome{};
	try {
		const smime::Keyring *const ring = of().ring();
		if(ring == nullptr)
			put(outcome->reason, "the certificates of this server could not be read");
		else
			work(*ring);
	} catch(const std::exception &failure) {
		outcome->done = 0;
		put(outcome->reason, failure.what());
	}
}

} // namespace

int smime_core_check(const smime_settings *wanted, char *reason, size_t size)
{
	try {
		auto ring = smime::read_files(*wanted);
		if(ring)
			return 0;
		std::strncpy(reason, ring.error().reason.c_str(), size - 1);
	} catch(const std::exception &failure) {
		std::strncpy(reason, failure.what(), size - 1);
	}
	reason[size - 1] = '\0';
	return -1;
}

void smime_core_init(const smime_settings *wanted, const smime_settings *wanted_of_peers)
{
	settings = wanted;
	files().use(wanted);
	peer_files().use(wanted_of_peers);
}

void smime_core_follow(unsigned int generation, smime_complain complain)
{
	try {
		for(smime::Files *const all : {&files(), &peer_files()})
			all->follow(generation, [&](const std::string &reason) { complain(reason.c_str()); });
	} catch(const std::exception &failure) {
		complain(failure.what());
	}
}

int smime_core_covers(smime_text name)
{
	try {
		return smime::covered_name(view(name)).empty() ? 0 : 1;
	} catch(const std::exception &) {
		return 0;
	}
}

void smime_core_sign(const smime_request *request, smime_outcome *outcome)
{
	with_ring(outcome, [&](const smime::Keyring &ring) {
		finish(smime::sign_body(ring, headers_of(*request), body_of(*request), transfer()),
				*outcome);
	});
}

void smime_core_usable(smime_text certificate, smime_outcome *outcome)
{
	with_ring(outcome, [&](const smime::Keyring &ring) {
		auto to = recipients().find(view(certificate), ring, files().version());
		if(to)
			outcome->done = 1;
		else
			put(outcome->reason, to.error().reason);
	});
}

void smime_core_peer(smime_text certificate, smime_outcome *outcome)
{
	with_ring(
			outcome,
			[&](const smime::Keyring &ring) {
				auto known = peers().find(view(certificate), ring, peer_files().version());
				if(known)
					outcome->done = 1;
				else
					put(outcome->reason, known.error().reason);
			},
			peer_files);
}

void smime_core_encrypt(
		smime_text certificate, const smime_request *request, smime_outcome *outcome)
{
	with_ring(outcome, [&](const smime::Keyring &ring) {
		auto to = recipients().find(view(certificate), ring, files().version());
		if(to)
			finish(smime::encrypt_body(ring, *to, body_of(*request), transfer()), *outcome);
		else
			put(outcome->reason, to.error().reason);
	});
}

void smime_core_decrypt(const smime_request *request, smime_outcome *outcome)
{
	with_ring(outcome, [&](const smime::Keyring &ring) {
		finish(smime::decrypt_body(ring, body_of(*request)), *outcome);
	});
}

void smime_core_verify(smime_text identity, const smime_request *request, smime_outcome *outcome)
{
	with_ring(outcome, [&](const smime::Keyring &ring) {
		auto good =
				smime::verify_body(ring, headers_of(*request), body_of(*request), view(identity));
		if(!good)
			return put(outcome->reason, good.error().reason);
		put(outcome->signer, smime::shown(good->signer));
		put(outcome->subject, good->signer.subject);
		hand_out(std::move(good->body), *outcome);
	});
}

int smime_core_is_signed(smime_text type)
{
	try {
		return smime::is_signed(view(type)) ? 1 : 0;
	} catch(const std::exception &) {
		return 0;
	}
}

int smime_core_is_encrypted(smime_text type)
{
	try {
		return smime::is_encrypted(view(type)) ? 1 : 0;
	} catch(const std::exception &) {
		return 0;
	}
}
