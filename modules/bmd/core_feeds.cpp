/// @file core_feeds.cpp  What presence_bmd asks of feeds and subscriptions, behind bmd_core.h.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <cstring>
#include <shared_mutex>
#include <string_view>
#include <vector>

#include "bmd/dmp_feed.hpp"
#include "bmd_core.h"
#include "bmd_host.h"
#include "changes.hpp"
#include "documents.hpp"
#include "registry.hpp"
#include "subs.hpp"

namespace {

using bmd::copy_text;
using bmd::RwLock;
using bmd::store;

std::string_view view_of(bmd_text text)
{
	return {text.s, text.len};
}

// Runs `work`, which may run out of memory; `otherwise` is the answer then.
template <class Work, class T> T guarded(T otherwise, Work work) noexcept
{
	try {
		return work();
	} catch(const std::exception &failure) {
		bmd_host_log(BMD_LOG_ERROR, failure.what());
		return otherwise;
	}
}

char *copy_out(const std::string &body, void *(*allocate)(size_t), size_t *length)
{
	auto *memory = static_cast<char *>(allocate(body.size() + 1));
	if(memory == nullptr)
		return nullptr;
	std::memcpy(memory, body.c_str(), body.size() + 1);
	*length = body.size();
	return memory;
}

bool entitled(std::string_view user, std::string_view feed) noexcept
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	return bmd::may_watch(user, feed);
}

bmd::TimeUs end_of(const bmd_subscribe &subscribe) noexcept
{
	return bmd::mono_now() + subscribe.expires * bmd::second_us;
}

void name(bmd_dialog &dialog, bmd::SubRef ref, std::string_view feed)
{
	dialog.slot = ref.slot;
	dialog.generation = ref.generation;
	copy_text(dialog.resource, sizeof dialog.resource, bmd::resource_of(feed, dialog.id));
}

// What To says counts for nothing here: the dialog has its feed.  Who may no longer see it may
// still end it.
int admit_in_dialog(const bmd_subscribe &subscribe, bmd_dialog &dialog)
{
	bmd::SubTarget target{};
	const auto feed = bmd::find_dialog(dialog.id, target);
	if(!feed)
		return 481;
	const std::string_view user = view_of(subscribe.user);
	if(user != target.user || (subscribe.expires > 0 && !entitled(user, *feed)))
		return 403;
	name(dialog, target.ref, *feed);
	return 200;
}

int admit_new(const bmd_subscribe &subscribe, bmd_dialog &dialog)
{
	const std::string_view user = view_of(subscribe.user);
	const std::string_view feed = view_of(subscribe.feed);
	if(!entitled(user, feed))
		return 403;
	bmd::SubRef ref;
	if(subscribe.expires > 0) { // otherwise state is fetched once
		bmd::mark_watched(feed);
		switch(bmd::put_sub(dialog.id, feed, user, end_of(subscribe), ref)) {
			case bmd::Admission::done:
				break;
			case bmd::Admission::known:
				return 482;
			case bmd::Admission::taken:
				return 403;
			case bmd::Admission::unknown:
			case bmd::Admission::full:
				return 503;
		}
	}
	name(dialog, ref, feed);
	return 200;
}

} // namespace

int bmd_core_may_watch(bmd_text username, bmd_text feed)
{
	return entitled(view_of(username), view_of(feed)) ? 1 : 0;
}

int bmd_core_admit(const bmd_subscribe *subscribe, bmd_dialog *dialog)
{
	dialog->id = bmd::dialog_of(view_of(subscribe->call_id), view_of(subscribe->tag));
	dialog->slot = dialog->generation = 0;
	return guarded(503, [&] {
		return subscribe->in_dialog ? admit_in_dialog(*subscribe, *dialog)
									: admit_new(*subscribe, *dialog);
	});
}

void bmd_core_settle(const bmd_subscribe *subscribe, const bmd_dialog *dialog, int status)
{
	const bmd::SubRef ref{dialog->slot, dialog->generation};
	const bool refused = status >= 300;
	const bool ended = subscribe->expires == 0 && !refused;
	if(ended || status == 481 || (refused && !subscribe->in_dialog))
		bmd::end_sub(ref);
	else if(!refused && subscribe->in_dialog)
		bmd::prolong_sub(ref, end_of(*subscribe));
}

void bmd_core_dialog_lock(const bmd_dialog *dialog)
{
	bmd::dialog_mutex(dialog->id).lock();
}

void bmd_core_dialog_unlock(const bmd_dialog *dialog)
{
	bmd::dialog_mutex(dialog->id).unlock();
}

void bmd_core_refresh_dialog(const bmd_dialog *dialog)
{
	bmd::queue_refresh_sub({dialog->slot, dialog->generation}, dialog->id);
}

void bmd_core_begin_sending(const bmd_dialog *dialog, bmd_text user)
{
	bmd::begin_sending({dialog->slot, dialog->generation}, view_of(user));
}

void bmd_core_end_sending(void)
{
	bmd::end_sending();
}

void *bmd_core_make_ticket(bmd_text terminal)
{
	return bmd::make_ticket(view_of(terminal));
}

void bmd_core_free_ticket(void *ticket)
{
	bmd::free_ticket(ticket);
}

void bmd_core_ticket_answered(const void *ticket, int code)
{
	bmd::ticket_answered(ticket, code);
}

void bmd_core_sending_failed(void)
{
	bmd::sending_failed();
}

bmd_text bmd_core_domain(void)
{
	const std::string &domain = bmd::feed_domain();
	return bmd_text{domain.data(), domain.size()};
}

bmd_text bmd_core_feed_of(bmd_text resource)
{
	const std::string_view feed = bmd::parse_resource(view_of(resource)).feed;
	return bmd_text{feed.data(), feed.size()};
}

int bmd_core_notifiers(void)
{
	return static_cast<int>(store()->limits.notifiers);
}

char *bmd_core_full_document(bmd_text feed, void *(*allocate)(size_t), size_t *length, int *more)
{
	*more = 0;
	return guarded(static_cast<char *>(nullptr), [&] {
		if(!entitled(bmd::sending_to(), view_of(feed)))
			return copy_out(bmd::empty_document(view_of(feed)), allocate, length);
		const std::vector<bmd::Page> pages = bmd::full_documents(view_of(feed));
		bmd::note_full_state(bmd::sending_in());
		*more = static_cast<int>(pages.size()) - 1;
		bmd::document_holds(pages.front().alerts);
		return copy_out(pages.front().text, allocate, length);
	});
}

void bmd_core_set_version(char *body, size_t length, unsigned int version)
{
	const std::size_t at = bmd::dmp::version_offset({body, length});
	if(at != std::string_view::npos)
		bmd::dmp::set_version(body + at, version);
}
