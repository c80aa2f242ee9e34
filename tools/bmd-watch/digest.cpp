/// @file digest.cpp  The arithmetic of digests.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "digest.hpp"

#include <openssl/evp.h>
#include <strings.h>

#include <array>

namespace bmd::watch {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

std::string hash(Algorithm algorithm, const std::string &text)
{
	std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
	unsigned length = 0;
	const EVP_MD *const kind = algorithm == Algorithm::sha256 ? EVP_sha256() : EVP_md5();
	if(EVP_Digest(text.data(), text.size(), sum.data(), &length, kind, nullptr) != 1)
		return {};
	std::string out;
	for(unsigned i = 0; i < length; ++i) {
		out += digits[sum.at(i) >> 4U];
		out += digits[sum.at(i) & 15U];
	}
	return out;
}

bool same(std::string_view name, const char *other) noexcept
{
	return strncasecmp(name.data(), other, name.size()) == 0 && other[name.size()] == '\0';
}

} // namespace

Algorithm algorithm_named(std::string_view name) noexcept
{
	if(name.empty() || same(name, "MD5"))
		return Algorithm::md5;
	return same(name, "SHA-256") ? Algorithm::sha256 : Algorithm::none;
}

std::string nonce_count(std::uint32_t count)
{
	std::string out(8, '0');
	for(std::size_t i = out.size(); i-- > 0; count >>= 4U)
		out[i] = digits[count & 15U];
	return out;
}

std::string digest_response(const DigestTerms &t, std::string_view method)
{
	if(t.algorithm == Algorithm::none)
		return {};
	const std::string ha1 = hash(t.algorithm, t.user + ':' + t.realm + ':' + t.password);
	const std::string ha2 = hash(t.algorithm, std::string(method) + ':' + t.uri);
	return hash(t.algorithm,
			ha1 + ':' + t.nonce + ':' + nonce_count(t.count) + ':' + t.cnonce + ":auth:" + ha2);
}

} // namespace bmd::watch
