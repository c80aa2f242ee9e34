/// @file sip.hpp  As much SIP as a load generator needs: finding headers, digest answers, messages.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Reads messages of one known server.  It is no parser: no folded lines, no compact header names.

#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// The value of the first header of that name (as the server writes it); empty when absent.
inline std::string_view header(std::string_view message, std::string_view name)
{
	std::size_t at = 0;
	while((at = message.find("\r\n", at)) != std::string_view::npos) {
		at += 2;
		if(message.substr(at, 2) == "\r\n")
			break; // end of the headers
		if(message.substr(at, name.size()) != name || at + name.size() >= message.size()
				|| message[at + name.size()] != ':')
			continue;
		std::size_t begin = at + name.size() + 1;
		while(begin < message.size() && message[begin] == ' ')
			++begin;
		return message.substr(begin, message.find("\r\n", begin) - begin);
	}
	return {};
}

/// What follows the empty line.
inline std::string_view body_of(std::string_view message)
{
	const std::size_t end = message.find("\r\n\r\n");
	return end == std::string_view::npos ? std::string_view() : message.substr(end + 4);
}

/// The decimal number at the front; 0 when there is none.
inline std::uint64_t number_of(std::string_view text)
{
	std::uint64_t number = 0;
	for(const char c : text) {
		if(c < '0' || c > '9')
			break;
		number = number * 10 + static_cast<std::uint64_t>(c - '0');
	}
	return number;
}

/// What stands between `from` and `to`; empty when either is missing.
inline std::string_view between(std::string_view text, std::string_view from, std::string_view to)
{
	const std::size_t begin = text.find(from);
	if(begin == std::string_view::npos)
		return {};
	const std::size_t end = text.find(to, begin + from.size());
	if(end == std::string_view::npos)
		return {};
	return text.substr(begin + from.size(), end - begin - from.size());
}

/// The tag of a To or From value.
inline std::string_view tag_of(std::string_view value)
{
	const std::size_t at = value.find(";tag=");
	if(at == std::string_view::npos)
		return {};
	const std::string_view tag = value.substr(at + 5);
	return tag.substr(0, tag.find(';'));
}

/// Hexadecimal digest; `sha256` or MD5.
inline std::string hex_digest(std::string_view text, bool sha256)
{
	static const EVP_MD *const algorithms[] = {EVP_md5(), EVP_sha256()};
	static EVP_MD_CTX *const context = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	EVP_DigestInit_ex(context, algorithms[sha256 ? 1 : 0], nullptr);
	EVP_DigestUpdate(context, text.data(), text.size());
	EVP_DigestFinal_ex(context, digest, &length);
	static constexpr char digits[] = "0123456789abcdef";
	std::string out;
	for(unsigned i = 0; i < length; ++i) {
		out += digits[digest[i] >> 4];
		out += digits[digest[i] & 15];
	}
	return out;
}

/// What a server demanded in WWW-Authenticate.
struct Challenge
{
	std::string realm;
	std::string nonce;
	bool sha256 = false;
	bool qop = false;
};

inline std::optional<Challenge> challenge_of(std::string_view message)
{
	const std::string_view value = header(message, "WWW-Authenticate");
	Challenge challenge;
	challenge.realm = between(value, "realm=\"", "\"");
	challenge.nonce = between(value, "nonce=\"", "\"");
	challenge.sha256 = value.find("SHA-256") != std::string_view::npos;
	challenge.qop = value.find("qop=") != std::string_view::npos;
	if(challenge.nonce.empty())
		return std::nullopt;
	return challenge;
}

/// The line "Authorization: …" that answers a challenge (RFC 7616), or nothing without one.
inline std::string authorization(const Challenge &challenge, const std::string &user,
		const std::string &password, const std::string &method, const std::string &uri, unsigned nc)
{
	if(challenge.nonce.empty())
		return {};
	const auto digest = [&](const std::string &text) { return hex_digest(text, challenge.sha256); };
	const std::string ha1 = digest(user + ":" + challenge.realm + ":" + password);
	const std::string ha2 = digest(method + ":" + uri);
	char count[16];
	std::snprintf(count, sizeof count, "%08x", nc);
	const std::string quality = challenge.qop ? std::string(count) + ":b5e2:auth:" : std::string();
	std::string line = "Authorization: Digest username=\"" + user + "\", realm=\"" + challenge.realm
					   + "\", nonce=\"" + challenge.nonce + "\", uri=\"" + uri
					   + "\", algorithm=" + (challenge.sha256 ? "SHA-256" : "MD5") + ", response=\""
					   + digest(ha1 + ":" + challenge.nonce + ":" + quality + ha2) + "\"";
	if(challenge.qop)
		line += ", qop=auth, cnonce=\"b5e2\", nc=" + std::string(count);
	return line + "\r\n";
}

/// Appends a 200 to a request: Via, From, To, Call-ID and CSeq as they came.
inline void append_ok(std::string &out, std::string_view request)
{
	out += "SIP/2.0 200 OK\r\n";
	std::size_t at = request.find("\r\n");
	while(at != std::string_view::npos && request.substr(at, 4) != "\r\n\r\n") {
		at += 2;
		const std::size_t end = request.find("\r\n", at);
		const std::string_view line = request.substr(at, end - at);
		if(line.starts_with("Via:") || line.starts_with("From:") || line.starts_with("To:")
				|| line.starts_with("Call-ID:") || line.starts_with("CSeq:"))
			out.append(line).append("\r\n");
		at = end;
	}
	out += "Content-Length: 0\r\n\r\n";
}

} // namespace bench
