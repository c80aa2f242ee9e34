/// @file store_kamailio.hpp  Records for Kamailio's own tables: rows that wait, people's digests.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Parts of the store (store.hpp).

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "lock.hpp"
#include "text.hpp"

namespace bmd {

inline constexpr std::size_t row_buckets = 16'384;
inline constexpr std::size_t kept_tables = 4;  ///< whose rows wait here
inline constexpr std::size_t digest_size = 33; ///< hexadecimal, with its closing zero
inline constexpr std::size_t sha256_digest_size = 65;

struct WaitingRow;
struct RowHead
{
	WaitingRow *first;
};

/// Rows of Kamailio's tables that wait for the database; rows.hpp keeps them.
struct RowsWaiting
{
	Mutex lock;
	Waker waker;
	RowHead *head; ///< row_buckets of them
	WaitingRow *oldest;
	WaitingRow *newest;
	std::uint64_t last_number;
	std::atomic<std::uint64_t> of_table[kept_tables];
	std::uint64_t bytes; ///< of all that wait
};

/// What the digest of one person is checked with; never the password.
struct CredentialRec
{
	char user[32];                       ///< of name_size
	char ha1[digest_size];               ///< MD5 of user:domain:password
	char ha1b[digest_size];              ///< MD5 of user@domain:domain:password
	char ha1_sha256[sha256_digest_size]; ///< SHA-256 of the same
	char ha1b_sha256[sha256_digest_size];
	Index next_hash; ///< or next free one
	std::uint32_t mark;
};

} // namespace bmd
