/// @file owners.cpp  Whose subscription a dialog is.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "owners.hpp"

#include <mutex>

#include "store.hpp"

namespace bmd {

namespace {

constexpr std::size_t places = 16; // where one dialog may stand

std::uint64_t dialog_hash(std::string_view call_id, std::string_view tag) noexcept
{
	const std::uint64_t hash = hash_name(call_id) * 0x9e3779b97f4a7c15 ^ hash_name(tag);
	return hash == 0 ? 1 : hash;
}

// The dialog's place; when it has none, a free one or the one not used for longest.
OwnerRec &place_of(std::uint64_t dialog) noexcept
{
	OwnerRec *owners = store()->owners;
	OwnerRec *best = nullptr;
	for(std::size_t i = 0; i < places; ++i) {
		OwnerRec &owner = owners[(dialog + i) & (max_owners - 1)];
		if(owner.dialog == dialog)
			return owner;
		if(best == nullptr || owner.used < best->used)
			best = &owner;
	}
	return *best;
}

} // namespace

void own_dialog(std::string_view call_id, std::string_view tag, std::string_view user) noexcept
{
	const std::lock_guard<Mutex> guard(store()->owner_lock);
	const std::uint64_t dialog = dialog_hash(call_id, tag);
	place_of(dialog) = OwnerRec{dialog, hash_name(user), mono_now()};
}

bool owns_dialog(std::string_view call_id, std::string_view tag, std::string_view user) noexcept
{
	const std::lock_guard<Mutex> guard(store()->owner_lock);
	const std::uint64_t dialog = dialog_hash(call_id, tag);
	OwnerRec &owner = place_of(dialog);
	if(owner.dialog != dialog)
		return true;
	if(owner.user != hash_name(user))
		return false;
	owner.used = mono_now();
	return true;
}

} // namespace bmd
