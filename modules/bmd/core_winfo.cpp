/// @file core_winfo.cpp  Watcher information, behind bmd_core_winfo.h.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd_core_winfo.h"

#include <cstring>
#include <string>

#include "bmd_core_policy.h"
#include "core_bridge.hpp"
#include "delivery.hpp"
#include "winfo_documents.hpp"

namespace {

using bmd::copy_out;
using bmd::guarded;
using bmd::view_of;
using bmd::WinfoSight;

} // namespace

int bmd_core_sending_winfo(void)
{
	return bmd::sending_winfo() ? 1 : 0;
}

char *bmd_core_full_winfo(bmd_text feed, void *(*allocate)(size_t), size_t *length, int *more)
{
	*more = 0;
	return guarded(static_cast<char *>(nullptr), [&] {
		const std::string_view user = bmd::sending_to();
		// its last NOTIFY, when somebody ends it who may not see anything any more
		if(bmd::winfo_sight_now(user, view_of(feed)) == WinfoSight::none)
			return copy_out(bmd::empty_winfo(view_of(feed)), allocate, length);
		const bmd::WinfoPages pages = bmd::winfo_pages(user, view_of(feed), 0);
		bmd::note_winfo(bmd::sending_in(), pages.change, true);
		*more = static_cast<int>(pages.texts.size()) - 1;
		return copy_out(pages.texts.front(), allocate, length);
	});
}

char *bmd_core_number_winfo(
		bmd_text body, unsigned int version, void *(*allocate)(size_t), size_t *length)
{
	return guarded(static_cast<char *>(nullptr), [&] {
		return copy_out(bmd::renumber_winfo(view_of(body), version), allocate, length);
	});
}

int bmd_core_answer_watcher(bmd_text who, bmd_text person, bmd_text feed, int approved,
		char *reason, size_t reason_size)
{
	WinfoSight sight = WinfoSight::none;
	bmd::copy_text(reason, reason_size, "");
	try {
		sight = bmd::winfo_sight_now(view_of(who), view_of(feed));
	} catch(const std::exception &failure) {
		bmd::copy_text(reason, reason_size, failure.what());
		return 500;
	}
	if(sight == WinfoSight::none) {
		bmd::copy_text(reason, reason_size, "not a feed that you answer for");
		return 403;
	}
	// whoever is blocked politely decides nothing, and is answered as where nobody waits
	const int status =
			sight == WinfoSight::own
					? bmd_core_answer_in_vain(person, feed, reason, reason_size)
					: bmd_core_answer_pending(person, feed, approved, who, reason, reason_size);
	return status == 404 ? 409 : status;
}
