/// @file core_feeds.cpp  What presence_bmd asks of feeds and subscriptions, behind bmd_core.h.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <cstring>
#include <optional>
#include <shared_mutex>
#include <string_view>
#include <vector>

#include "asked_filter.hpp"
#include "bmd/dmp_feed.hpp"
#include "bmd_core_policy.h"
#include "bmd_host.h"
#include "changes.hpp"
#include "core_bridge.hpp"
#include "documents.hpp"
#include "permits.hpp"
#include "registry.hpp"
#include "subs.hpp"
#include "winfo_documents.hpp"

namespace {

using bmd::copy_out;
using bmd::copy_text;
using bmd::guarded;
using bmd::NotifyState;
using bmd::RwLock;
using bmd::Standing;
using bmd::store;
using bmd::view_of;

bmd::Verdict verdict_on(std::string_view user, std::string_view feed)
{
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	return bmd::Permits().on_feed(user, feed);
}

// Whoever is refused, and whoever asks for what does not exist, gets the same answer.
bool admits(const bmd::Verdict &verdict) noexcept
{
	const Standing standing = standing_of(verdict);
	return standing != Standing::refused && standing != Standing::none;
}

// Seeing is not answering: whoever a rule lets watch a feed is not told who else does.
bool answers_for(std::string_view user, std::string_view feed)
{
	return bmd::winfo_sight_now(user, feed) != bmd::WinfoSight::none;
}

// Whoever fetches state and is to be confirmed first waits like one whose subscription has run out.
void note_fetch(const bmd_subscribe &subscribe) noexcept
{
	const std::string_view feed = view_of(subscribe.feed);
	(void)guarded(0, [&] {
		if(standing_of(verdict_on(view_of(subscribe.user), feed)) == Standing::pending) {
			bmd::mark_watched(feed);
			bmd::watcher_asked(feed, view_of(subscribe.user));
		}
		return 0;
	});
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
	if(bmd::is_winfo(*feed) != (subscribe.winfo != 0))
		return 481; // the dialog has another event package
	const std::string_view user = view_of(subscribe.user);
	const std::string_view of = bmd::winfo_feed(*feed);
	const bool admitted =
			subscribe.expires == 0
			|| (bmd::is_winfo(*feed) ? answers_for(user, of) : admits(verdict_on(user, of)));
	if(user != target.user || !admitted)
		return 403;
	name(dialog, target.ref, of);
	return 200;
}

// What a SUBSCRIBE that opens a dialog comes to.
struct Opened
{
	int status = 200;
	std::optional<bmd::Counter> counted = std::nullopt; ///< when it stays so
};

// A subscription finds its place in the table.
Opened enter(const bmd_subscribe &subscribe, std::uint64_t dialog, const std::string &key,
		bool pending, const bmd::Places &places, bmd::SubRef &ref)
{
	bmd::mark_watched(bmd::winfo_feed(key));
	switch(bmd::put_sub(
			dialog, key, view_of(subscribe.user), end_of(subscribe), ref, pending, places)) {
		case bmd::Admission::done:
			return {};
		case bmd::Admission::known:
			return {482, bmd::count_replayed_subscribe};
		case bmd::Admission::taken:
			return {403};
		case bmd::Admission::too_many:
			return {429, bmd::count_subscriptions_refused};
		case bmd::Admission::too_many_to_feed:
			return {429};
		case bmd::Admission::too_many_pending:
			return {429, bmd::count_pending_refused};
		case bmd::Admission::unknown:
		case bmd::Admission::full:
			break;
	}
	return {503};
}

Opened open_winfo(const bmd_subscribe &subscribe, bmd_dialog &dialog)
{
	const std::string_view feed = view_of(subscribe.feed);
	if(!answers_for(view_of(subscribe.user), feed))
		return {403};
	bmd::SubRef ref;
	if(subscribe.expires > 0) {
		const bmd::Places places{.to_feed = bmd::winfo_subscriptions};
		const Opened opened = enter(subscribe, dialog.id, bmd::winfo_key(feed), false, places, ref);
		if(opened.status != 200)
			return opened;
	}
	name(dialog, ref, feed);
	return {};
}

// One person does not fill the table, with subscriptions that nobody has approved least of all.
Opened open_feed(const bmd_subscribe &subscribe, bmd_dialog &dialog)
{
	const std::string_view user = view_of(subscribe.user);
	const std::string_view feed = view_of(subscribe.feed);
	const bmd::Verdict verdict = verdict_on(user, feed);
	if(!admits(verdict) || user.size() >= bmd::name_size)
		return {403};
	bmd::SubRef ref;
	if(bmd_host_shm_left() < store()->limits.memory_reserve) {
		bmd::complain(bmd::count_subscriptions_memory_low,
				"shared memory is nearly used up, new subscriptions are refused: start kamailio "
				"with a larger -m");
		return {507};
	}
	if(subscribe.expires > 0) { // otherwise state is fetched once
		const bmd::Places places{
				store()->limits.person_subscriptions, verdict.most, bmd::pending_per_person};
		const Opened opened = enter(subscribe, dialog.id, std::string(feed),
				standing_of(verdict) == Standing::pending, places, ref);
		if(opened.status != 200)
			return opened;
	}
	name(dialog, ref, feed);
	return {};
}

// A terminal that has read of the end of one may subscribe again before that is entered: then that
// is waited for, and all is looked at once more.
int open_dialog(const bmd_subscribe &subscribe, bmd_dialog &dialog)
{
	const auto open = subscribe.winfo != 0 ? open_winfo : open_feed;
	Opened opened = open(subscribe, dialog);
	if(opened.status == 429) {
		bmd::await_answers(view_of(subscribe.user));
		opened = open(subscribe, dialog);
	}
	if(opened.counted)
		bmd::count(*opened.counted);
	return opened.status;
}

} // namespace

int bmd_core_may_watch(bmd_text username, bmd_text feed)
{
	return guarded(0, [&] {
		const bmd::Verdict verdict = verdict_on(view_of(username), view_of(feed));
		return verdict.allows() && verdict.shown.alerts ? 1 : 0;
	});
}

int bmd_core_admit(const bmd_subscribe *subscribe, bmd_dialog *dialog)
{
	dialog->id = bmd::dialog_of(view_of(subscribe->call_id), view_of(subscribe->tag));
	dialog->slot = dialog->generation = 0;
	return guarded(503, [&] {
		return subscribe->in_dialog ? admit_in_dialog(*subscribe, *dialog)
									: open_dialog(*subscribe, *dialog);
	});
}

void bmd_core_settle(const bmd_subscribe *subscribe, const bmd_dialog *dialog, int status)
{
	const bmd::SubRef ref{dialog->slot, dialog->generation};
	const bool refused = status >= 300;
	const bool ended = subscribe->expires == 0 && !refused;
	if(subscribe->in_dialog && status == 400) // presence's answer to a CSeq
		bmd::count(bmd::count_replayed_in_dialog);
	if(ended || status == 481 || (refused && !subscribe->in_dialog))
		bmd::end_sub(ref);
	else if(!refused && subscribe->in_dialog)
		bmd::prolong_sub(ref, end_of(*subscribe));
	else if(!refused)
		bmd::watcher_accepted(ref);
	else
		bmd::let_go(ref);
	if(ended && !subscribe->in_dialog && subscribe->winfo == 0)
		note_fetch(*subscribe);
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

int bmd_core_begin_sending(const bmd_subscribe *subscribe, const bmd_dialog *dialog)
{
	const bmd::SubRef ref{dialog->slot, dialog->generation};
	if(subscribe->in_dialog && !bmd::take_in_hand(ref))
		return -1;
	bmd::begin_sending(ref, view_of(subscribe->user));
	return 0;
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

void bmd_core_ticket_answered(void *ticket, int code)
{
	bmd::ticket_answered(ticket, code);
}

int bmd_core_ticket_ends(const void *ticket)
{
	return bmd::ticket_ends(ticket) ? 1 : 0;
}

bmd_notify_state bmd_core_notify_state(void)
{
	switch(bmd::notify_state()) {
		case NotifyState::active:
			break;
		case NotifyState::pending:
			return BMD_NOTIFY_PENDING;
		case NotifyState::rejected:
			return BMD_NOTIFY_REJECTED;
		case NotifyState::deactivated:
			return BMD_NOTIFY_DEACTIVATED;
	}
	return BMD_NOTIFY_ACTIVE;
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
		const std::string_view user = bmd::sending_to();
		const bmd::Verdict verdict = verdict_on(user, view_of(feed));
		const Standing standing = standing_of(verdict);
		if(standing == Standing::pending)
			bmd::set_notify_state(NotifyState::pending);
		const std::vector<bmd::Page> pages =
				bmd::pages_for(verdict, view_of(feed), user, bmd::asked_filter());
		if(standing == Standing::active || standing == Standing::decoy)
			bmd::note_full_state(bmd::sending_in(), pages.front().counted);
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
