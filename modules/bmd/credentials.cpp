/// @file credentials.cpp  What the digests of people are checked with.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "credentials.hpp"

#include "table.hpp"

namespace bmd {

namespace {

Index find(std::string_view user) noexcept
{
	Store &s = *store();
	return find_named(s.credentials, s.credential_hash, user, &CredentialRec::user);
}

void drop(Index i) noexcept
{
	Store &s = *store();
	unlink_hash(s.credentials, bucket(s.credential_hash, hash_name(s.credentials[i].user)), i);
	s.credentials[i] = CredentialRec{};
	give_back(s.credentials, i, &CredentialRec::next_hash);
}

Index make(std::string_view user) noexcept
{
	Store &s = *store();
	const Index i = take(s.credentials, &CredentialRec::next_hash);
	if(i == 0)
		return 0;
	s.credentials[i] = CredentialRec{};
	copy_text(s.credentials[i].user, name_size, user);
	link_hash(s.credentials, bucket(s.credential_hash, hash_name(user)), i);
	return i;
}

} // namespace

namespace {

// Anything else, an empty column above all, would be a key that everybody can compute.
template <std::size_t size> void put_digest(char (&where)[size], std::string_view text) noexcept
{
	constexpr std::string_view digits = "0123456789abcdef";
	const bool sound =
			text.size() == size - 1 && text.find_first_not_of(digits) == std::string_view::npos;
	copy_text(where, size, sound ? text : "");
}

} // namespace

const CredentialRec *find_credential(std::string_view user) noexcept
{
	const Index i = user.empty() ? 0 : find(user);
	return i == 0 ? nullptr : &store()->credentials[i];
}

std::string_view find_digest(
		std::string_view user, bool with_domain, DigestAlgorithm algorithm) noexcept
{
	const CredentialRec *credential = find_credential(user);
	if(credential == nullptr)
		return {};
	if(algorithm == DigestAlgorithm::sha256)
		return with_domain ? credential->ha1b_sha256 : credential->ha1_sha256;
	return with_domain ? credential->ha1b : credential->ha1;
}

std::uint32_t new_credential_mark() noexcept
{
	static std::uint32_t last = 0; // only one process takes provisioning over
	return ++last;
}

bool put_credential(std::string_view user, const Digests &digests, std::uint32_t mark) noexcept
{
	if(user.empty() || user.size() >= name_size)
		return false;
	Index i = find(user);
	if(i == 0)
		i = make(user);
	if(i == 0)
		return false;
	CredentialRec &credential = store()->credentials[i];
	put_digest(credential.ha1, digests.ha1);
	put_digest(credential.ha1b, digests.ha1b);
	put_digest(credential.ha1_sha256, digests.ha1_sha256);
	put_digest(credential.ha1b_sha256, digests.ha1b_sha256);
	credential.mark = mark;
	return true;
}

void sweep_credentials(std::string_view user, std::uint32_t mark, RegistryWrite &lock) noexcept
{
	Store &s = *store();
	if(!user.empty()) {
		if(const Index i = find(user); i != 0 && s.credentials[i].mark != mark)
			drop(i);
		return;
	}
	for(Index i = 1; i <= s.credentials.used; ++i) {
		if(s.credentials[i].user[0] != '\0' && s.credentials[i].mark != mark)
			drop(i);
		lock.breathe();
	}
}

} // namespace bmd
