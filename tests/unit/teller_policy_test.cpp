/// @file teller_policy_test.cpp  Unit tests of what policies make of running subscriptions.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Real store, book and notifier.

#include "answer.hpp"
#include "ward.hpp"
#include "winfo_documents.hpp"

namespace {

using namespace bmd_test;

void a_rule_that_blocks_ends_a_running_subscription()
{
	Ward ward;
	ward.publish();
	ward.subscribe("ann", "ann");
	ward.subscribe("ann", "dev.D1");
	ward.for_ann(PolicyResource::feed, "ann", Decision::block);
	ward.publish();
	BMD_EQUAL(ward.pass(), "ann !rejected");
	BMD_EQUAL(ward.pass(), "");
	BMD_EQUAL(bmd::store()->sub_count, 1U);
	BMD_EQUAL(bmd::store()->counters[bmd::count_policy_ended].load(), 1U);
}

void the_rule_that_let_somebody_in_ends_the_subscription_when_it_goes()
{
	Ward ward;
	ward.for_bob(PolicyResource::device, "D0", Decision::allow);
	ward.publish();
	ward.subscribe("bob", "dev.D0");
	ward.forget_rules();
	ward.publish();
	BMD_EQUAL(ward.pass(), "dev.D0 !rejected");
}

void an_assignment_that_goes_empties_the_screen_as_it_always_did()
{
	Ward ward;
	ward.subscribe("ann", "grp.ward");
	(void)Ward::raise("D0");
	(void)ward.pass();
	bmd::FeedChanges changes;
	CU_ASSERT(bmd::put_person("ann", {}, changes));
	changes.tell();
	BMD_EQUAL(ward.pass(), "grp.ward full");
	BMD_EQUAL(bmd::store()->sub_count, 1U);
}

void a_quiet_feed_becomes_a_decoy_and_back_without_a_word()
{
	Ward ward;
	ward.publish();
	ward.subscribe("ann", "ann");
	ward.for_ann(PolicyResource::everything, "", Decision::polite_block);
	ward.publish();
	BMD_EQUAL(ward.pass(), "");
	(void)Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "");
	CU_ASSERT(standing("ann", "ann") == Standing::decoy);
	ward.forget_rules();
	ward.publish(); // what has happened meanwhile appears
	BMD_EQUAL(ward.pass(), "ann full D0/name/address/location");
	ward.for_ann(PolicyResource::everything, "", Decision::polite_block);
	ward.publish(); // and is over, for all that can be seen
	BMD_EQUAL(ward.pass(), "ann full");
}

void a_decoy_is_the_document_of_a_quiet_feed_byte_for_byte()
{
	Ward ward;
	ward.for_bob(PolicyResource::everything, "", Decision::polite_block);
	ward.publish();
	const auto body = [&](const char *user) {
		const std::vector<bmd::Page> pages = bmd::pages_for(verdict(user, "ann"), "ann", user);
		BMD_EQUAL(pages.size(), 1U);
		std::string text = pages.front().text;
		const std::size_t at = text.find("bmd:at=\"") + 8;
		return text.replace(at, text.find('"', at) - at, "T");
	};
	const std::string quiet = body("ann");
	(void)Ward::raise("D0");
	BMD_EQUAL(body("bob"), quiet);
	CU_ASSERT(body("ann") != quiet);
}

void a_decoy_counts_nothing_where_alerts_would_only_be_counted()
{
	Ward ward;
	ward.rule(PolicyWatcher::anyone, "", PolicyResource::everything, "", Decision::allow, "count");
	ward.publish();
	ward.subscribe("bob", "dev.D0");
	ward.subscribe("bob", "dev.D1");
	ward.for_bob(PolicyResource::device, "D0", Decision::polite_block);
	ward.publish();
	BMD_EQUAL(ward.pass(), ""); // begins without a sign
	(void)Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "");
	bmd::queue_refresh("dev.D0");
	bmd::queue_refresh("dev.D1");
	BMD_EQUAL(ward.pass(), "dev.D0 full +0; dev.D1 full +0");
	const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
	CU_ASSERT(bmd::winfo_sight(bmd::Permits(), "bob", "dev.D0") == bmd::WinfoSight::none);
}

void whoever_may_only_count_is_told_when_the_number_changes_and_of_nothing_else()
{
	Ward ward;
	ward.for_bob(PolicyResource::everything, "", Decision::allow, "count");
	ward.publish();
	ward.subscribe("bob", "dev.D0");
	const auto answer = [](bmd::Index alert, bmd::Act act) {
		const std::string id = bmd::to_string(bmd::store()->alerts[alert].id);
		bmd::AnswerTo to{id, {}, "test", {}};
		to.answer.act = act;
		to.answer.who = "ann";
		BMD_EQUAL(bmd::answer_alert(to).status, 200);
	};
	const bmd::Index first = Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "dev.D0 full +1");
	answer(first, bmd::Act::acknowledge); // somebody is there
	BMD_EQUAL(ward.pass(), "");
	answer(first, bmd::Act::accept);
	BMD_EQUAL(ward.pass(), "");
	bmd::queue_refresh("dev.D0"); // a repetition is one
	BMD_EQUAL(ward.pass(), "dev.D0 full +1");
	ward.for_bob(PolicyResource::device, "D0", Decision::allow); // from now on all of it
	ward.publish();
	BMD_EQUAL(ward.pass(), "dev.D0 full D0/name/address/location");
	ward.forget_rules();
	ward.for_bob(PolicyResource::everything, "", Decision::allow, "count");
	ward.publish(); // and no more
	BMD_EQUAL(ward.pass(), "dev.D0 full +1");
	answer(first, bmd::Act::reject);
	BMD_EQUAL(ward.pass(), "");
}

void who_is_blocked_politely_is_answered_as_if_the_alert_were_over()
{
	Ward ward;
	ward.publish();
	const bmd::AlertRec alert = bmd::store()->alerts[Ward::raise("D0")];
	const auto may = [&](std::string_view who) {
		const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
		return bmd::may_answer(who, alert) ? 1 : bmd::is_kept_quiet(who, alert) ? -1 : 0;
	};
	BMD_EQUAL(may("ann"), 1);
	BMD_EQUAL(may("bob"), 0);
	ward.for_ann(PolicyResource::device, "D0", Decision::polite_block);
	ward.for_bob(PolicyResource::feed, "dev.D0", Decision::polite_block);
	ward.publish();
	BMD_EQUAL(may("ann"), -1);
	BMD_EQUAL(may("bob"), -1);
	ward.forget_rules();
	ward.for_ann(PolicyResource::device, "D0", Decision::block);
	ward.publish();
	BMD_EQUAL(may("ann"), 0);
	BMD_EQUAL(may("bob"), 0);
}

void who_waits_is_told_when_somebody_answers()
{
	Ward ward;
	ward.for_bob(PolicyResource::device, "D0", Decision::confirm, "no-identity");
	ward.publish();
	(void)Ward::raise("D0");
	ward.subscribe("bob", "dev.D0", true);
	ward.subscribe("bob", "dev.D1", true);
	bmd::queue_refresh("dev.D0");
	BMD_EQUAL(ward.pass(), ""); // it was told so when it was made
	BMD_EQUAL(bmd::pending_subs().size(), 2U);
	ward.answer("bob", "dev.D0", true);
	ward.publish();
	BMD_EQUAL(ward.pass(), "dev.D0 full D0/location");
	BMD_EQUAL(bmd::pending_subs().size(), 1U);
	ward.answer("bob", "dev.D0", false);
	ward.publish();
	BMD_EQUAL(ward.pass(), "dev.D0 !rejected");
}

void who_is_to_be_confirmed_from_now_on_is_told_to_ask_again()
{
	Ward ward;
	ward.publish();
	ward.subscribe("ann", "ann");
	ward.for_ann(PolicyResource::feed, "ann", Decision::confirm);
	ward.publish();
	BMD_EQUAL(ward.pass(), "ann !deactivated");
	BMD_EQUAL(bmd::store()->sub_count, 0U);
}

void an_hour_that_begins_acts_like_a_rule_that_is_made()
{
	Ward ward;
	PolicyRule &rule = ward.for_bob(PolicyResource::device, "D0", Decision::allow);
	rule.until = bmd::wall_now() + 300'000;
	ward.publish();
	ward.subscribe("bob", "dev.D0");
	BMD_EQUAL(ward.pass(), "");
	while(bmd::wall_now() < rule.until) {
	}
	BMD_EQUAL(ward.pass(), "dev.D0 !rejected");
}

void an_area_that_changes_is_looked_at_by_all_feeds_of_the_device()
{
	Ward ward;
	ward.for_ann(PolicyResource::area, "south", Decision::block);
	ward.publish();
	ward.subscribe("ann", "ann");
	(void)Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "ann part D0/name/address/location");
	bmd::FeedChanges changes;
	CU_ASSERT(bmd::put_member("#south", "D0", bmd::new_mark(), changes));
	changes.tell();
	BMD_EQUAL(ward.pass(), "ann full");
}

void a_group_that_changes_is_looked_at_by_all_feeds_of_the_device()
{
	Ward ward;
	ward.for_ann(PolicyResource::group, "ward", Decision::block);
	ward.publish();
	ward.subscribe("ann", "ann");
	(void)Ward::raise("D0");
	(void)Ward::raise("D1");
	BMD_EQUAL(ward.pass(), "ann part D1/name/address/location");
	bmd::FeedChanges changes;
	CU_ASSERT(bmd::put_member("grp.ward", "D1", bmd::new_mark(), changes));
	changes.tell();
	BMD_EQUAL(ward.pass(), "ann full");
	const std::uint32_t mark = bmd::new_mark();
	CU_ASSERT(bmd::put_member("ann", "D0", mark, changes));
	{
		const bmd::RegistryWrite lock;
		bmd::sweep_members(bmd::find_device("D0"), mark, changes);
	}
	changes.tell();
	BMD_EQUAL(ward.pass(), "ann full D0/name/address/location");
}

void who_goes_and_comes_back_sees_by_a_rule_what_is_there()
{
	Ward ward;
	ward.rule(PolicyWatcher::anyone, "", PolicyResource::everything, "", Decision::allow);
	ward.publish();
	ward.subscribe("bob", "dev.D0");
	(void)Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "dev.D0 part D0/name/address/location");
	bmd::store()->loaded = true;
	bmd::FeedChanges changes;
	{
		bmd::RegistryWrite lock;
		bmd::drop_person(bmd::find_feed("bob"), lock, changes);
	}
	changes.tell();
	BMD_EQUAL(ward.pass(), "dev.D0 full");
	CU_ASSERT(bmd::put_person("bob", {}, changes));
	changes.tell();
	BMD_EQUAL(ward.pass(), "dev.D0 full D0/name/address/location");
}

CU_TestInfo cases[] = {BMD_CASE(a_rule_that_blocks_ends_a_running_subscription),
		BMD_CASE(the_rule_that_let_somebody_in_ends_the_subscription_when_it_goes),
		BMD_CASE(an_assignment_that_goes_empties_the_screen_as_it_always_did),
		BMD_CASE(a_quiet_feed_becomes_a_decoy_and_back_without_a_word),
		BMD_CASE(a_decoy_is_the_document_of_a_quiet_feed_byte_for_byte),
		BMD_CASE(a_decoy_counts_nothing_where_alerts_would_only_be_counted),
		BMD_CASE(whoever_may_only_count_is_told_when_the_number_changes_and_of_nothing_else),
		BMD_CASE(who_is_blocked_politely_is_answered_as_if_the_alert_were_over),
		BMD_CASE(who_waits_is_told_when_somebody_answers),
		BMD_CASE(who_is_to_be_confirmed_from_now_on_is_told_to_ask_again),
		BMD_CASE(an_hour_that_begins_acts_like_a_rule_that_is_made),
		BMD_CASE(an_area_that_changes_is_looked_at_by_all_feeds_of_the_device),
		BMD_CASE(a_group_that_changes_is_looked_at_by_all_feeds_of_the_device),
		BMD_CASE(who_goes_and_comes_back_sees_by_a_rule_what_is_there), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo teller_policy_suite;
const CU_SuiteInfo teller_policy_suite = BMD_SUITE("teller_policy", cases);
