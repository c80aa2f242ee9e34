/// @file digest.hpp  The arithmetic of digests: RFC 7616 with qop=auth.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bmd::watch {

enum class Algorithm : std::uint8_t
{
	none, ///< neither of the two
	md5,
	sha256
};

/// The algorithm of this name, without regard to case; "" means MD5 (RFC 7616, 3.3).
[[nodiscard]] Algorithm algorithm_named(std::string_view name) noexcept;

/// Everything that a response is computed from but the method.
struct DigestTerms
{
	Algorithm algorithm = Algorithm::sha256;
	std::string user;
	std::string realm;
	std::string password;
	std::string nonce;
	std::string cnonce;
	std::uint32_t count = 1; ///< nc
	std::string uri;
};

/// `count` as the header has it: eight hexadecimal digits.
[[nodiscard]] std::string nonce_count(std::uint32_t count);

/// The response to a challenge; with an empty method what the server has to prove itself with
/// (rspauth).  Empty for Algorithm::none.
[[nodiscard]] std::string digest_response(const DigestTerms &terms, std::string_view method);

} // namespace bmd::watch
