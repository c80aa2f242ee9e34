/// @file core_feeds.cpp  What presence_bmd asks of feeds and subscriptions, behind bmd_core.h.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <algorithm>
#include <cstring>
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

// A subscription finds its place in the table.
int enter(const bmd_subscribe &subscribe, std::uint64_t dialog, const std::string &key,
		bmd::SubRef &ref)
{
	bmd::mark_watched(bmd::winfo_feed(key));
	switch(bmd::put_sub(dialog, key, view_of(subscribe.user), end_of(subscribe), ref)) {
		case bmd::Admission::done:
			return 200;
		case bmd::Admission::known:
			bmd::count(bmd::count_replayed_subscribe);
			return 482;
		case bmd::Admission::taken:
			return 403;
		case bmd::Admission::unknown:
		case bmd::Admission::full:
			break;
	}
	return 503;
}

// Has this person so many?  A terminal that has read the answer to the end of one may subscribe
// again before the end is entered.
template <class Count> bool has_reached(std::size_t most, std::string_view user, Count count)
{
	return count() >= most && (!bmd::await_endings(user) || count() >= most);
}

int admit_winfo(const bmd_subscribe &subscribe, bmd_dialog &dialog)
{
	const std::string_view user = view_of(subscribe.user);
	const std::string_view feed = view_of(subscribe.feed);
	if(!answers_for(user, feed))
		return 403;
	bmd::SubRef ref;
	if(subscribe.expires > 0) {
		const std::string key = bmd::winfo_key(feed);
		if(!bmd::has_dialog(dialog.id) && has_reached(bmd::winfo_subscriptions, user, [&] {
			   return bmd::count_subs(key, user);
		   }))
			return 429;
		if(const int status = enter(subscribe, dialog.id, key, ref); status != 200)
			return status;
	}
	name(dialog, ref, feed);
	return 200;
}

// One person does not fill the table with subscriptions that nobody has approved.
bool waits_too_often(const bmd_subscribe &subscribe, const bmd_dialog &dialog, bool pending)
{
	const std::string_view user = view_of(subscribe.user);
	if(!pending || bmd::has_dialog(dialog.id) || !has_reached(bmd::pending_per_person, user, [&] {
		   return bmd::count_pending(user);
	   }))
		return false;
	bmd::count(bmd::count_pending_refused);
	return true;
}

// More than a person may have, or than a policy allows to this feed.
bool has_too_many(
		const bmd_subscribe &subscribe, const bmd_dialog &dialog, const bmd::Verdict &verdict)
{
	const std::string_view user = view_of(subscribe.user);
	const std::string_view feed = view_of(subscribe.feed);
	if(bmd::has_dialog(dialog.id))
		return false;
	const std::size_t most = store()->limits.person_subscriptions;
	if(most != 0 && has_reached(most, user, [&] { return bmd::count_subs(user); })) {
		bmd::count(bmd::count_subscriptions_refused);
		return true;
	}
	return verdict.most != 0
		   && has_reached(verdict.most, user, [&] { return bmd::count_subs(feed, user); });
}

int admit_new(const bmd_subscribe &subscribe, bmd_dialog &dialog)
{
	const std::string_view user = view_of(subscribe.user);
	const std::string_view feed = view_of(subscribe.feed);
	const bmd::Verdict verdict = verdict_on(user, feed);
	if(!admits(verdict) || user.size() >= bmd::name_size)
		return 403;
	const bool pending = standing_of(verdict) == Standing::pending;
	bmd::SubRef ref;
	if(bmd_host_shm_left() < store()->limits.memory_reserve) {
		bmd::complain(bmd::count_subscriptions_memory_low,
				"shared memory is nearly used up, new subscriptions are refused: start kamailio "
				"with a larger -m");
		return 507;
	}
	if(subscribe.expires > 0) { // otherwise state is fetched once
		if(has_too_many(subscribe, dialog, verdict) || waits_too_often(subscribe, dialog, pending))
			return 429;
		if(const int status = enter(subscribe, dialog.id, std::string(feed), ref); status != 200)
			return status;
	}
	bmd::set_pending(ref, pending);
	name(dialog, ref, feed);
	return 200;
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
		if(subscribe->in_dialog)
			return admit_in_dialog(*subscribe, *dialog);
		return subscribe->winfo != 0 ? admit_winfo(*subscribe, *dialog)
									 : admit_new(*subscribe, *dialog);
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
	if(refused && subscribe->expires == 0)
		bmd::mark_ending(ref, false);
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

void bmd_core_begin_sending(const bmd_subscribe *subscribe, const bmd_dialog *dialog)
{
	const bmd::SubRef ref{dialog->slot, dialog->generation};
	if(subscribe->expires == 0)
		bmd::mark_ending(ref, true);
	bmd::begin_sending(ref, view_of(subscribe->user));
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
