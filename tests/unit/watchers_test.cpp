/// @file watchers_test.cpp  Unit tests of who is told of watchers, and what becomes of those.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Real store and notifier.

#include "ward.hpp"
#include "winfo_documents.hpp"

namespace {

using namespace bmd_test;
using bmd::WatcherEvent;
using bmd::WinfoSight;

WinfoSight sight(const char *user, const char *feed)
{
	return bmd::winfo_sight_now(user, feed);
}

// bob must be confirmed for D0; ann is told of it.  What has happened so far has been told.
struct Waiting : Ward
{
	Waiting()
	{
		for_bob(PolicyResource::device, "D0", Decision::confirm);
		publish();
		(void)pass();
		bmd::mark_watched("dev.D0");
		told_to = watch("ann", "!ann");
		bmd::note_winfo(told_to, bmd::last_watcher_change(), true);
		rest();
	}
	std::string news()
	{
		rest();
		return pass();
	}
	void decide(bool approved)
	{
		answer("bob", "dev.D0", approved);
		publish();
	}
	bmd::SubRef told_to;
};

void who_answers_for_a_device_is_told_at_once_who_waits_for_it()
{
	Waiting ward;
	(void)ward.watch("bob", "dev.D0", true);
	BMD_EQUAL(ward.pass(), "ann watchers part dev.D0: bob/pending/subscribe");
	BMD_EQUAL(ward.news(), "");
}

void an_approval_is_told_as_active_and_a_refusal_as_terminated()
{
	Waiting ward;
	(void)ward.watch("bob", "dev.D0", true);
	(void)ward.news();
	ward.decide(true);
	BMD_EQUAL(ward.pass(), "dev.D0 full");
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: bob/active/approved");
	ward.decide(false);
	BMD_EQUAL(ward.pass(), "dev.D0 !rejected");
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: bob/terminated/rejected");
	BMD_EQUAL(ward.news(), "");
}

void who_is_to_be_confirmed_from_now_on_is_told_as_deactivated()
{
	Waiting ward;
	(void)ward.watch("bob", "dev.D1");
	BMD_EQUAL(ward.news(), "ann watchers part dev.D1: bob/active/subscribe");
	ward.for_bob(PolicyResource::device, "D1", Decision::confirm);
	ward.publish();
	BMD_EQUAL(ward.pass(), "dev.D1 !deactivated");
	BMD_EQUAL(ward.news(), "ann watchers part dev.D1: bob/terminated/deactivated");
}

void a_subscription_that_runs_out_before_anybody_answered_waits_on()
{
	Waiting ward;
	const bmd::SubRef bob = ward.watch("bob", "dev.D0", true);
	bmd::end_sub(bob);
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: bob/waiting/timeout");
	ward.decide(true);
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: bob/terminated/approved");
	BMD_EQUAL(bmd::waiting_watchers().size(), 0U);
}

void who_waits_without_a_subscription_can_be_refused_and_comes_back_as_pending()
{
	Waiting ward;
	bmd::watcher_asked("dev.D0", "bob");
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: bob/waiting/timeout");
	(void)ward.watch("bob", "dev.D0", true);
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: bob/pending/subscribe bob/terminated/giveup");
	bmd::watcher_asked("dev.D0", "bob");
	(void)ward.news();
	ward.decide(false);
	(void)ward.pass();
	const std::string told = ward.news();
	BMD_EQUAL(told, "ann watchers part dev.D0: bob/terminated/rejected bob/terminated/rejected");
}

void who_asks_again_and_again_waits_once_and_is_told_of_once()
{
	Waiting ward;
	bmd::watcher_asked("dev.D0", "bob");
	(void)ward.news();
	for(int i = 0; i < 1000; ++i)
		bmd::watcher_asked("dev.D0", "bob");
	BMD_EQUAL(bmd::waiting_watchers().size(), 1U);
	BMD_EQUAL(ward.news(), "");
}

void ends_do_not_push_out_who_waits_and_full_state_tells_of_them()
{
	Waiting ward;
	const bmd::SubRef bob = ward.watch("bob", "dev.D1");
	(void)ward.news();
	for(std::size_t i = 0; i < bmd::past_watchers; ++i)
		bmd::watcher_asked("dev.D0", "p" + std::to_string(i));
	(void)ward.news();
	bmd::end_sub(bob);
	BMD_EQUAL(bmd::waiting_watchers().size(), bmd::past_watchers);
	const std::string told = ward.news();
	CU_ASSERT(told.starts_with("ann watchers full"));
	CU_ASSERT(told.find("bob/") == std::string::npos);
}

void whoever_waits_for_three_days_is_given_up()
{
	Waiting ward;
	bmd::watcher_asked("dev.D0", "bob");
	(void)ward.news();
	bmd::store()->watchers.past[0].since -= bmd::give_up_after - bmd::second_us;
	bmd::look_after_watchers();
	BMD_EQUAL(ward.news(), "");
	bmd::store()->watchers.past[0].since -= bmd::second_us;
	bmd::look_after_watchers();
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: bob/terminated/giveup");
}

void one_person_waits_for_few_feeds_and_the_oldest_gives_way()
{
	Waiting ward;
	for(std::size_t i = 0; i <= bmd::waiting_per_person; ++i)
		bmd::watcher_asked(i == 0 ? "dev.D0" : "dev.X" + std::to_string(i), "bob");
	BMD_EQUAL(bmd::waiting_watchers().size(), bmd::waiting_per_person);
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: bob/terminated/giveup");
	BMD_EQUAL(bmd::store()->counters[bmd::count_watchers_given_up].load(), 1U);
}

void a_storm_of_people_who_wait_takes_no_more_room_and_full_state_makes_up_for_it()
{
	Waiting ward;
	for(std::size_t i = 0; i < 3 * bmd::past_watchers; ++i)
		bmd::watcher_asked("dev.D0", "p" + std::to_string(i));
	BMD_EQUAL(bmd::waiting_watchers().size(), bmd::past_watchers);
	const std::string told = ward.news();
	CU_ASSERT(told.starts_with("ann watchers full"));
	std::size_t pages = 0;
	for(std::size_t at = told.find("watchers"); at != std::string::npos; ++pages)
		at = told.find("watchers", at + 1);
	BMD_EQUAL(pages, (bmd::past_watchers + 99) / 100);
	BMD_EQUAL(ward.news(), "");
}

void a_subscription_is_told_at_most_once_in_five_seconds()
{
	Waiting ward;
	(void)ward.watch("bob", "dev.D0", true);
	BMD_EQUAL(ward.pass(), "ann watchers part dev.D0: bob/pending/subscribe");
	(void)ward.watch("ann", "dev.D0");
	BMD_EQUAL(ward.pass(), "");
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: ann/active/subscribe");
}

void only_who_is_responsible_and_sees_the_alerts_is_told_of_watchers()
{
	Ward ward;
	CU_ASSERT(sight("ann", "ann") == WinfoSight::all);
	CU_ASSERT(sight("ann", "dev.D0") == WinfoSight::all);
	CU_ASSERT(sight("ann", "grp.ward") == WinfoSight::all);
	for(const char *feed : {"dev.D0", "grp.ward", "ann", "dev.NOSUCH"})
		CU_ASSERT(sight("bob", feed) == WinfoSight::none);
	ward.for_bob(PolicyResource::everything, "", Decision::allow);
	ward.publish();
	CU_ASSERT(sight("bob", "dev.D0") == WinfoSight::none); // may see it, does not answer for it
	for(const Decision decision : {Decision::block, Decision::confirm}) {
		ward.forget_rules();
		ward.for_ann(PolicyResource::device, "D0", decision);
		ward.publish();
		CU_ASSERT(sight("ann", "dev.D0") == WinfoSight::none);
	}
	ward.forget_rules();
	ward.for_ann(PolicyResource::device, "D0", Decision::allow, "count");
	ward.publish();
	CU_ASSERT(sight("ann", "dev.D0") == WinfoSight::none);
}

void who_is_blocked_politely_sees_a_feed_that_nobody_else_watches()
{
	Waiting ward;
	bmd::end_sub(ward.told_to);
	ward.for_ann(PolicyResource::device, "D0", Decision::polite_block);
	ward.publish();
	(void)ward.watch("ann", "dev.D0");
	(void)ward.watch("bob", "dev.D0", true);
	const bmd::WinfoPages pages = bmd::winfo_pages("ann", "dev.D0", 0);
	BMD_EQUAL(pages.texts.size(), 1U);
	BMD_EQUAL(told_watchers(pages.texts.front()), "watchers full dev.D0: ann/active/subscribe");
}

void a_decoy_is_listed_like_everybody_else()
{
	Waiting ward;
	ward.forget_rules();
	ward.for_bob(PolicyResource::device, "D0", Decision::polite_block);
	ward.publish();
	(void)ward.pass();
	(void)ward.watch("bob", "dev.D0");
	BMD_EQUAL(ward.news(), "ann watchers part dev.D0: bob/active/subscribe");
}

void who_becomes_a_decoy_or_is_none_any_more_is_told_nothing()
{
	Waiting ward;
	(void)ward.watch("bob", "dev.D0", true);
	(void)ward.news();
	ward.for_ann(PolicyResource::everything, "", Decision::polite_block);
	ward.publish();
	BMD_EQUAL(ward.news(), "");
	ward.forget_rules();
	ward.for_bob(PolicyResource::device, "D0", Decision::confirm);
	ward.publish();
	BMD_EQUAL(ward.news(), "");
}

void who_does_not_answer_for_it_any_more_is_told_of_nobody()
{
	Waiting ward;
	const bmd::SubRef device = ward.watch("ann", "!dev.D0");
	(void)ward.watch("bob", "dev.D0", true);
	(void)ward.news();
	ward.for_ann(PolicyResource::device, "D0", Decision::allow, "count");
	ward.publish();
	const std::string told = ward.pass();
	CU_ASSERT(told.find("ann watchers full ann:") != std::string::npos);
	CU_ASSERT(told.find("dev.D0 !rejected") != std::string::npos);
	CU_ASSERT(told.find("bob") == std::string::npos);
	CU_ASSERT(bmd::live_sub(device) == nullptr);
	(void)ward.watch("bob", "dev.D0", true);
	BMD_EQUAL(ward.news(), "");
}

void an_assignment_that_goes_or_comes_brings_full_state()
{
	Waiting ward;
	ward.for_bob(PolicyResource::group, "ward", Decision::allow);
	ward.publish();
	(void)ward.pass();
	(void)ward.watch("bob", "grp.ward");
	BMD_EQUAL(ward.news(), "ann watchers part grp.ward: bob/active/subscribe");
	bmd::FeedChanges changes;
	CU_ASSERT(bmd::put_person("ann", {}, changes));
	changes.tell();
	CU_ASSERT(ward.pass().find("ann watchers full ann:") != std::string::npos);
	CU_ASSERT(bmd::put_person("ann", std::vector<std::string>{"grp.ward"}, changes));
	changes.tell();
	CU_ASSERT(ward.pass().find("watchers full ann: grp.ward: bob/") != std::string::npos);
}

void who_is_shut_out_is_rejected_and_another_watcher_when_let_in_again()
{
	Waiting ward;
	bmd::FeedChanges changes;
	(void)ward.watch("ann", "grp.ward");
	const auto first = bmd::watchers_of({"grp.ward"}, 0).front();
	CU_ASSERT(bmd::put_person("ann", {}, changes));
	changes.tell();
	(void)ward.pass();
	CU_ASSERT(bmd::watchers_of({"grp.ward"}, 0).empty());
	CU_ASSERT(bmd::watchers_of({"grp.ward"}, 1).front().event == WatcherEvent::rejected);
	CU_ASSERT(bmd::put_person("ann", std::vector<std::string>{"grp.ward"}, changes));
	changes.tell();
	(void)ward.pass();
	const auto again = bmd::watchers_of({"grp.ward"}, 0);
	CU_ASSERT(again.size() == 1 && again.front().id != first.id);
}

void a_subscription_of_before_the_start_is_active_since_nobody_knows_when()
{
	Ward ward;
	bmd::SubRef ref;
	CU_ASSERT(bmd::put_sub(1, "dev.D0", "ann", bmd::mono_now() + bmd::second_us, ref)
			  == bmd::Admission::done);
	bmd::watcher_restored(ref);
	const bmd::WinfoPages pages = bmd::winfo_pages("ann", "dev.D0", 0);
	BMD_EQUAL(told_watchers(pages.texts.front()), "watchers full dev.D0: ann/active/subscribe");
	CU_ASSERT(pages.texts.front().find("duration") == std::string::npos);
}

void watcher_information_of_watcher_information_is_not_told()
{
	Waiting ward;
	bmd::note_winfo(ward.watch("ann", "!dev.D0"), bmd::last_watcher_change(), true);
	BMD_EQUAL(ward.news(), "");
	BMD_EQUAL(bmd::store()->watchers.subscribers.load(), 2U);
	bmd::end_sub(ward.told_to);
	BMD_EQUAL(bmd::store()->watchers.subscribers.load(), 1U);
}

CU_TestInfo cases[] = {BMD_CASE(who_answers_for_a_device_is_told_at_once_who_waits_for_it),
		BMD_CASE(an_approval_is_told_as_active_and_a_refusal_as_terminated),
		BMD_CASE(who_is_to_be_confirmed_from_now_on_is_told_as_deactivated),
		BMD_CASE(a_subscription_that_runs_out_before_anybody_answered_waits_on),
		BMD_CASE(who_waits_without_a_subscription_can_be_refused_and_comes_back_as_pending),
		BMD_CASE(who_asks_again_and_again_waits_once_and_is_told_of_once),
		BMD_CASE(ends_do_not_push_out_who_waits_and_full_state_tells_of_them),
		BMD_CASE(whoever_waits_for_three_days_is_given_up),
		BMD_CASE(one_person_waits_for_few_feeds_and_the_oldest_gives_way),
		BMD_CASE(a_storm_of_people_who_wait_takes_no_more_room_and_full_state_makes_up_for_it),
		BMD_CASE(a_subscription_is_told_at_most_once_in_five_seconds),
		BMD_CASE(only_who_is_responsible_and_sees_the_alerts_is_told_of_watchers),
		BMD_CASE(who_is_blocked_politely_sees_a_feed_that_nobody_else_watches),
		BMD_CASE(a_decoy_is_listed_like_everybody_else),
		BMD_CASE(who_becomes_a_decoy_or_is_none_any_more_is_told_nothing),
		BMD_CASE(who_does_not_answer_for_it_any_more_is_told_of_nobody),
		BMD_CASE(an_assignment_that_goes_or_comes_brings_full_state),
		BMD_CASE(who_is_shut_out_is_rejected_and_another_watcher_when_let_in_again),
		BMD_CASE(a_subscription_of_before_the_start_is_active_since_nobody_knows_when),
		BMD_CASE(watcher_information_of_watcher_information_is_not_told), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo watchers_suite;
const CU_SuiteInfo watchers_suite = BMD_SUITE("watchers", cases);
