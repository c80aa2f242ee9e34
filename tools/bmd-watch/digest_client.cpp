/// @file digest_client.cpp  Digest authentication for the SIP stack, as its plug-in.
/// SPDX-License-Identifier: GPL-2.0-or-later

#define SOFIA_EXTEND_AUTH_CLIENT 1

#include "digest_client.hpp"

#include <sofia-sip/auth_client_plugin.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/su_uniqueid.h>
#include <sofia-sip/url.h>
#include <strings.h>

#include <array>
#include <deque>
#include <string>
#include <utility>

#include "digest.hpp"

namespace bmd::watch {

namespace {

constexpr std::size_t longest_text = 256; // of a nonce or an opaque
constexpr std::size_t remembered = 256;   // requests whose response may still come

using Text = std::array<char, longest_text>;

/// The stack makes these, zeroed, and frees them without a word: so they own nothing.
struct Client
{
	auth_client_t base;
	Algorithm algorithm;
	Text realm; ///< that of `base` has quotes
	Text nonce;
	Text opaque;
	std::uint64_t cnonce;
	std::uint32_t count;
};

/// What the server must answer to one of our requests.
struct Expected
{
	std::string nonce_use; ///< nc and cnonce
	std::string rspauth;
};

bool md5_allowed = false;

std::deque<Expected> &expectations()
{
	static std::deque<Expected> all;
	return all;
}

std::function<bool(msg_t *)> &on_its_way()
{
	static std::function<bool(msg_t *)> work;
	return work;
}

Client &client_of(auth_client_t *base) noexcept
{
	return *reinterpret_cast<Client *>(base);
}

// Without its quotes; "" when there is none.
std::string parameter(const msg_param_t *parameters, const char *name)
{
	const char *const value = msg_params_find(parameters, name);
	std::string text = value != nullptr ? value : "";
	if(text.size() >= 2 && text.front() == '"' && text.back() == '"')
		text = text.substr(1, text.size() - 2);
	return text;
}

bool offers_auth(const std::string &qop)
{
	for(std::size_t begin = 0; begin < qop.size();) {
		const std::size_t end = qop.find_first_of(", ", begin);
		if(strcasecmp(qop.substr(begin, end - begin).c_str(), "auth") == 0)
			return true;
		begin = end == std::string::npos ? qop.size() : end + 1;
	}
	return false;
}

// Algorithm::none: not one that we answer.
Algorithm usable(const msg_auth_t *challenge)
{
	const Algorithm algorithm = algorithm_named(parameter(challenge->au_params, "algorithm="));
	const bool sound = parameter(challenge->au_params, "nonce=").size() < longest_text
					   && parameter(challenge->au_params, "realm=").size() < longest_text
					   && parameter(challenge->au_params, "opaque=").size() < longest_text
					   && offers_auth(parameter(challenge->au_params, "qop="));
	return sound && (algorithm == Algorithm::sha256 || md5_allowed) ? algorithm : Algorithm::none;
}

void put(Text &where, const std::string &text)
{
	where.fill('\0');
	text.copy(where.data(), where.size() - 1);
}

// 2: to be answered; 1: nothing new.  Once SHA-256 was offered nothing weaker will do: whoever
// takes it out of a challenge on its way gains nothing.
int on_challenge(auth_client_t *base, const msg_auth_t *challenge)
{
	Client &client = client_of(base);
	const Algorithm algorithm = usable(challenge);
	if(algorithm == Algorithm::none || algorithm < client.algorithm)
		return 1;
	const std::string nonce = parameter(challenge->au_params, "nonce=");
	const bool stale = strcasecmp(parameter(challenge->au_params, "stale=").c_str(), "true") == 0;
	const bool first = client.algorithm != algorithm;
	if(nonce != client.nonce.data())
		client.count = 0;
	client.algorithm = algorithm;
	put(client.realm, parameter(challenge->au_params, "realm="));
	put(client.nonce, nonce);
	put(client.opaque, parameter(challenge->au_params, "opaque="));
	client.cnonce = su_random64();
	return stale || first ? 2 : 1;
}

void remember(const DigestTerms &terms)
{
	std::deque<Expected> &all = expectations();
	all.push_back({nonce_count(terms.count) + terms.cnonce, digest_response(terms, {})});
	if(all.size() > remembered)
		all.pop_front();
}

DigestTerms next_terms(Client &client, const char *uri)
{
	const auth_client_t &base = client.base;
	return {client.algorithm, base.ca_user, client.realm.data(), base.ca_pass, client.nonce.data(),
			nonce_count(static_cast<std::uint32_t>(client.cnonce >> 32U))
					+ nonce_count(static_cast<std::uint32_t>(client.cnonce)),
			++client.count, uri};
}

int on_request(auth_client_t *base, su_home_t *home, const char *method, const url_t *url,
		const msg_payload_t *, msg_header_t **headers)
{
	Client &client = client_of(base);
	if(base->ca_user == nullptr || base->ca_pass == nullptr || base->ca_clear != 0
			|| client.algorithm == Algorithm::none)
		return 0;
	// the stack hands over the message as the owner of its memory (msg_home())
	if(on_its_way() && !on_its_way()(reinterpret_cast<msg_t *>(home)))
		return -1;
	char *const uri = url_as_string(home, url);
	if(uri == nullptr)
		return -1;
	const DigestTerms terms = next_terms(client, uri);
	const bool opaque = client.opaque.front() != '\0';
	*headers = msg_header_format(home, base->ca_credential_class,
			"Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", "
			"algorithm=%s, qop=auth, cnonce=\"%s\", nc=%s%s%s%s",
			base->ca_user, client.realm.data(), client.nonce.data(), uri,
			digest_response(terms, method).c_str(),
			terms.algorithm == Algorithm::sha256 ? "SHA-256" : "MD5", terms.cnonce.c_str(),
			nonce_count(terms.count).c_str(), opaque ? ", opaque=\"" : "", client.opaque.data(),
			opaque ? "\"" : "");
	su_free(home, uri);
	if(*headers == nullptr)
		return -1;
	remember(terms);
	return 0;
}

int on_clear(auth_client_t *base)
{
	base->ca_clear = 1;
	return 1;
}

auth_client_plugin_t plugin(const char *name) noexcept
{
	auth_client_plugin_t made{};
	made.auc_plugin_size = sizeof made;
	made.auc_size = sizeof(Client);
	made.auc_name = name;
	made.auc_challenge = on_challenge;
	made.auc_authorize = on_request;
	made.auc_clear = on_clear;
	return made;
}

} // namespace

bool use_own_digest(bool allow_md5)
{
	static const auth_client_plugin_t placeholder = plugin("bmd-placeholder");
	static const auth_client_plugin_t digest = plugin("Digest");
	md5_allowed = allow_md5;
	// Some releases of the stack replace the first plug-in of another name instead of the one of
	// the same name: with the first call both kinds end with ours as the first one of its name.
	return auc_register_plugin(&placeholder) == 0 && auc_register_plugin(&digest) == 0;
}

void before_credentials(std::function<bool(msg_t *)> work)
{
	on_its_way() = std::move(work);
}

bool can_answer(const sip_t *response) noexcept
{
	const msg_auth_t *challenge = response->sip_www_authenticate != nullptr
										  ? response->sip_www_authenticate
										  : response->sip_proxy_authenticate;
	for(; challenge != nullptr; challenge = challenge->au_next)
		if(strcasecmp(challenge->au_scheme, "Digest") == 0 && usable(challenge) != Algorithm::none)
			return true;
	return false;
}

Proof proof_of(const sip_t *response)
{
	const sip_authentication_info_t *const info = response->sip_authentication_info;
	if(info == nullptr)
		return Proof::missing;
	const std::string rspauth = parameter(info->ai_params, "rspauth=");
	if(rspauth.empty())
		return Proof::missing;
	const std::string use =
			parameter(info->ai_params, "nc=") + parameter(info->ai_params, "cnonce=");
	for(const Expected &one : expectations())
		if(one.nonce_use == use)
			return one.rspauth == rspauth ? Proof::right : Proof::wrong;
	return Proof::wrong;
}

} // namespace bmd::watch
