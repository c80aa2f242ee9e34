/// @file credentials.hpp  What the digests of people are checked with, in shared memory.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nobody who calls for help, or is to be called, waits for a database to be recognised.  Callers
/// hold the registry lock: shared to look up, exclusive to change.

#pragma once

#include <cstdint>
#include <string_view>

#include "exclusive.hpp"

namespace bmd {

/// nullptr when there is none.
[[nodiscard]] const CredentialRec *find_credential(std::string_view user) noexcept;

enum class DigestAlgorithm : std::uint8_t
{
	md5,
	sha256
};

/// What the response of this person is computed from, or of `user@domain` as the name in it; empty
/// when there is none, and nobody is to be let in then.
[[nodiscard]] std::string_view find_digest(
		std::string_view user, bool with_domain, DigestAlgorithm algorithm) noexcept;

/// Digests of one person, each in hexadecimal, lower case: 32 digits of MD5, 64 of SHA-256.
struct Digests
{
	std::string_view ha1;
	std::string_view ha1b;
	std::string_view ha1_sha256;
	std::string_view ha1b_sha256;
};

/// A number for one reading of credentials: those found get it, the others are swept.
[[nodiscard]] std::uint32_t new_credential_mark() noexcept;

/// What is no digest of its algorithm counts as none.  False when there is no room, or the name is
/// longer than people's names are.
[[nodiscard]] bool put_credential(
		std::string_view user, const Digests &digests, std::uint32_t mark) noexcept;

/// Removes those with another mark: of this person, or of all when `user` is empty.
void sweep_credentials(std::string_view user, std::uint32_t mark, RegistryWrite &lock) noexcept;

} // namespace bmd
