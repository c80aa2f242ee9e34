/// @file encryption.hpp  Whose documents are encrypted, and for which certificate, in shared
/// memory. SPDX-License-Identifier: GPL-2.0-or-later Knows nothing of certificates but their text.
/// Callers hold the registry lock: shared to look up, exclusive to change.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "exclusive.hpp"

namespace bmd {

inline constexpr std::size_t longest_certificate = 7500; ///< bytes, as the database allows; a
														 ///< script's variable takes 8191

struct EncryptionRec
{
	EncryptionRec *next; ///< of the same bucket; each in a piece of shared memory of its own
	char user[name_size];
	bool encrypted_only;
	std::uint32_t mark;
	std::uint32_t length; ///< of the PEM text that follows the record; 0: none
	std::atomic<std::uint64_t>
			withheld;                ///< documents that could not be encrypted, and were not sent
	std::atomic<TimeUs> withheld_at; ///< wall clock, of the last
	std::atomic<bool> untold;        ///< since then nothing has been sent encrypted either
};

/// Before the fork, once.  False: no memory.
[[nodiscard]] bool create_encryption() noexcept;

/// nullptr: the person's documents are plain.
[[nodiscard]] EncryptionRec *find_encryption(std::string_view user) noexcept;
[[nodiscard]] std::string_view certificate_of(const EncryptionRec &record) noexcept;

enum class Put
{
	same,
	changed,
	no_memory
};
/// As the database has it.  Who gets another certificate is `untold` no more until something is
/// withheld again.  Without memory the old one stays, with the new `encrypted_only` or the
/// old, whichever is true.
[[nodiscard]] Put put_encryption(std::string_view user, std::string_view certificate,
		bool encrypted_only, std::uint32_t mark, RegistryWrite &lock) noexcept;

/// Removes those with another mark: of this person, or of all when `user` is empty.  Adds whose
/// they were to `gone`.
void sweep_encryption(std::string_view user, std::uint32_t mark, std::vector<std::string> &gone,
		RegistryWrite &lock);

/// A document for this person was withheld (`untold`), or encrypted and sent.  Of who is not
/// encrypted only nothing is noted.  Caller holds the registry lock.
void note_told(EncryptionRec &record, bool untold) noexcept;
/// Has that changed for somebody since the last call, or whom it counts for?
[[nodiscard]] bool take_untold_change() noexcept;

/// All of them.
void each_encryption(const std::function<void(EncryptionRec &)> &each);

/// Every subscription of the person gets its full state: it is sent as it must be now.
void refresh_subs_of(std::string_view user);

} // namespace bmd
