/// @file core_encryption.cpp  Whose documents are encrypted, behind bmd_core_encryption.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Nothing here lets an exception out into C.

#include <algorithm>
#include <shared_mutex>

#include "bmd/time.hpp"
#include "bmd_core_encryption.h"
#include "encryption.hpp"

namespace {

using bmd::copy_text;

bmd_encryption_view view_of(const bmd::EncryptionRec &record)
{
	bmd_encryption_view view{};
	copy_text(view.user, sizeof view.user, record.user);
	view.has_certificate = record.length > 0 ? 1 : 0;
	view.encrypted_only = record.encrypted_only ? 1 : 0;
	view.withheld = record.withheld.load();
	if(const bmd::TimeUs at = record.withheld_at.load(); at != 0)
		copy_text(view.last_withheld, sizeof view.last_withheld, bmd::format_time(at));
	return view;
}

std::vector<bmd_encryption_view> all_views()
{
	std::vector<bmd_encryption_view> all;
	const std::shared_lock<bmd::RwLock> lock(bmd::store()->registry_lock);
	bmd::each_encryption([&](const bmd::EncryptionRec &record) { all.push_back(view_of(record)); });
	return all;
}

} // namespace

bmd_encryption bmd_core_encryption(bmd_text user, char *pem, size_t size)
{
	const std::shared_lock<bmd::RwLock> lock(bmd::store()->registry_lock);
	const bmd::EncryptionRec *const record = bmd::find_encryption({user.s, user.len});
	if(size > 0)
		*pem = '\0';
	if(record == nullptr)
		return BMD_PLAIN;
	copy_text(pem, size, bmd::certificate_of(*record));
	return record->encrypted_only ? BMD_ENCRYPTED_ONLY : BMD_ENCRYPTED;
}

void bmd_core_withheld(bmd_text user, bmd_text reason)
{
	try {
		const std::string person(user.s, user.len);
		{
			const std::shared_lock<bmd::RwLock> lock(bmd::store()->registry_lock);
			if(bmd::EncryptionRec *const record = bmd::find_encryption(person); record != nullptr) {
				record->withheld.fetch_add(1);
				record->withheld_at.store(bmd::wall_now());
				bmd::note_told(*record, true);
			}
		}
		bmd::complain(
				bmd::count_documents_withheld, person
													   + " is told nothing: documents for this "
														 "person are sent encrypted only, and "
														 "cannot be: "
													   + std::string(reason.s, reason.len));
	} catch(const std::exception &) {
		bmd::count(bmd::count_documents_withheld);
	}
}

void bmd_core_sent_encrypted(bmd_text user)
{
	const std::shared_lock<bmd::RwLock> lock(bmd::store()->registry_lock);
	if(bmd::EncryptionRec *const record = bmd::find_encryption({user.s, user.len});
			record != nullptr)
		bmd::note_told(*record, false);
}

void bmd_core_each_encryption(bmd_each_encryption each, void *arg)
{
	try {
		auto all = all_views();
		std::ranges::sort(all, [](const bmd_encryption_view &a, const bmd_encryption_view &b) {
			const int later = std::string_view(a.last_withheld).compare(b.last_withheld);
			return later != 0 ? later > 0 : std::string_view(a.user) < std::string_view(b.user);
		});
		for(const bmd_encryption_view &view : all)
			each(&view, arg);
	} catch(const std::exception &) { // no memory: the list ends
	}
}
