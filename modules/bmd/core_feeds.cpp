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

// The status that tells why a subscription is not admitted.
int status_of(bmd::Admission admission) noexcept
{
	switch(admission) {
		case bmd::Admission::done:
		case bmd::Admission::known:
			return 200;
		case bmd::Admission::taken:
			return 403;
		case bmd::Admission::unknown:
			return 481;
		case bmd::Admission::full:
			break;
	}
	return 503;
}

bmd::Admission enter(const bmd_subscribe &subscribe, std::uint64_t id, bmd::SubRef &ref) noexcept
{
	constexpr long longest = 86'400; // what presence grants is shorter
	const bmd::TimeUs expires =
			bmd::mono_now() + std::min(subscribe.expires, longest) * bmd::second_us;
	const std::string_view user = view_of(subscribe.user);
	if(subscribe.in_dialog)
		return bmd::prolong_sub(id, user, expires, ref);
	if(subscribe.expires == 0)
		return bmd::Admission::done; // state is fetched once
	bmd::mark_watched(view_of(subscribe.feed));
	return bmd::put_sub(id, view_of(subscribe.feed), user, expires, ref);
}

} // namespace

int bmd_core_may_watch(bmd_text username, bmd_text feed)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	return bmd::may_watch(view_of(username), view_of(feed)) ? 1 : 0;
}

int bmd_core_admit(const bmd_subscribe *subscribe, bmd_dialog *dialog)
{
	bmd::SubRef ref;
	dialog->id = bmd::dialog_of(view_of(subscribe->call_id), view_of(subscribe->tag));
	const bmd::Admission admission = enter(*subscribe, dialog->id, ref);
	dialog->slot = ref.slot;
	dialog->generation = ref.generation;
	dialog->is_new = admission == bmd::Admission::done;
	if(status_of(admission) != 200)
		return status_of(admission);
	return guarded(503, [&] {
		bmd::SubTarget target{};
		const auto feed = bmd::find_sub(ref, target); // To may lie
		copy_text(dialog->resource, sizeof dialog->resource,
				bmd::resource_of(feed.value_or(std::string(view_of(subscribe->feed))), dialog->id));
		return 200;
	});
}

void bmd_core_dialog_lock(const bmd_dialog *dialog)
{
	bmd::dialog_mutex(dialog->id).lock();
}

void bmd_core_dialog_unlock(const bmd_dialog *dialog)
{
	bmd::dialog_mutex(dialog->id).unlock();
}

void bmd_core_end_dialog(const bmd_dialog *dialog)
{
	bmd::end_sub(dialog->id);
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
	return guarded(static_cast<char *>(nullptr), [&] {
		const std::vector<bmd::Page> pages = bmd::full_documents(view_of(feed));
		*more = static_cast<int>(pages.size()) - 1;
		bmd::document_holds(pages.front().alerts);
		return copy_out(pages.front().text, allocate, length);
	});
}

char *bmd_core_empty_document(bmd_text feed, void *(*allocate)(size_t), size_t *length)
{
	return guarded(static_cast<char *>(nullptr),
			[&] { return copy_out(bmd::empty_document(view_of(feed)), allocate, length); });
}

void bmd_core_set_version(char *body, size_t length, unsigned int version)
{
	const std::size_t at = bmd::dmp::version_offset({body, length});
	if(at != std::string_view::npos)
		bmd::dmp::set_version(body + at, version);
}
