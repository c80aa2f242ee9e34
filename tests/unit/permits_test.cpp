/// @file permits_test.cpp  Unit tests of what policies make of feeds and documents.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Real store, book and notifier.

#include "ward.hpp"
#include "whom.hpp"

namespace {

using namespace bmd_test;

void without_rules_the_assignments_decide()
{
	Ward ward;
	for(const char *feed : {"ann", "dev.D0", "dev.D1", "grp.ward"}) {
		CU_ASSERT(standing("ann", feed) == Standing::active);
		CU_ASSERT(standing("bob", feed) == Standing::none);
	}
	CU_ASSERT(standing("ann@home.example", "ann") == Standing::none);
	CU_ASSERT(standing("ann@test.example", "ann") == Standing::active);
}

void what_does_not_exist_is_refused_whatever_the_rules_say()
{
	Ward ward;
	ward.for_bob(PolicyResource::everything, "", Decision::allow);
	ward.publish();
	for(const char *feed : {"ann", "dev.D0", "grp.ward"})
		CU_ASSERT(standing("bob", feed) == Standing::active);
	for(const char *feed : {"carl", "dev.D9", "grp.none", "#north", "@1", "", "dev.", "grp."})
		CU_ASSERT(standing("bob", feed) == Standing::none);
	CU_ASSERT(standing("carl", "ann") == Standing::none);
}

void people_of_another_domain_need_a_rule_for_it()
{
	Ward ward;
	ward.rule(PolicyWatcher::anyone, "", PolicyResource::everything, "", Decision::allow);
	ward.rule(PolicyWatcher::domain, "home.example", PolicyResource::group, "ward", Decision::allow,
			"count");
	ward.publish();
	CU_ASSERT(standing("bob@home.example", "grp.ward") == Standing::active);
	CU_ASSERT(standing("bob@home.example", "dev.D0") == Standing::active);
	CU_ASSERT(standing("bob@home.example", "dev.D1") == Standing::none);
	CU_ASSERT(standing("ann@home.example", "ann") == Standing::none);
	CU_ASSERT(standing("bob@other.example", "grp.ward") == Standing::none);
	CU_ASSERT(standing("bob", "grp.ward") == Standing::active);
}

void a_rule_for_anyone_takes_nothing_from_the_responsible()
{
	Ward ward;
	ward.rule(PolicyWatcher::anyone, "", PolicyResource::everything, "", Decision::block);
	ward.publish();
	const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
	CU_ASSERT(!bmd::Permits().restricts("ann", "ann") && bmd::Permits().restricts("bob", "ann"));
	CU_ASSERT(bmd::Permits().on_feed("ann", "dev.D0").built_in);
	CU_ASSERT(bmd::Permits().on_feed("bob", "dev.D0").rule == 1);
}

void facts_of_a_device_are_those_of_the_registry()
{
	const struct
	{
		PolicyResource resource;
		const char *what;
	} about[] = {{PolicyResource::device, "D0"}, {PolicyResource::type, "Oxi"},
			{PolicyResource::group, "ward"}, {PolicyResource::area, "north"}};
	for(const auto &one : about) {
		Ward ward;
		ward.for_bob(one.resource, one.what, Decision::allow);
		ward.publish();
		CU_ASSERT(standing("bob", "dev.D0") == Standing::active);
		CU_ASSERT(standing("bob", "dev.D1") == Standing::none);
		CU_ASSERT(standing("bob", "ann") == Standing::none);
	}
	Ward ward;
	ward.for_bob(PolicyResource::patient, "7", Decision::allow);
	ward.publish();
	CU_ASSERT(standing("bob", "dev.D1") == Standing::active);
}

void what_is_not_shown_is_not_in_the_document()
{
	const struct
	{
		const char *seen;
		const char *told;
	} ways[] = {{"full", "dev.D0 full D0/name/address/location"},
			{"no-identity", "dev.D0 full D0/location"}, {"no-location", "dev.D0 full D0/name"},
			{"neither", "dev.D0 full D0"}, {"count", "dev.D0 full +1"}};
	for(const auto &way : ways) {
		Ward ward;
		ward.for_bob(PolicyResource::device, "D0", Decision::allow, way.seen);
		ward.publish();
		(void)Ward::raise("D0");
		ward.subscribe("bob", "dev.D0");
		bmd::queue_refresh("dev.D0");
		BMD_EQUAL(ward.pass(), way.told);
		const std::string body = ward.bodies.empty() ? "" : ward.bodies.back();
		CU_ASSERT((body.find(name) != std::string::npos) == shown(way.seen).identity);
		CU_ASSERT((body.find(location) != std::string::npos) == shown(way.seen).location);
		const bool both = shown(way.seen).identity && shown(way.seen).location;
		CU_ASSERT((body.find(address) != std::string::npos) == both);
	}
}

void a_change_is_redacted_for_whom_it_must_be_and_for_nobody_else()
{
	Ward ward;
	ward.for_bob(PolicyResource::group, "ward", Decision::allow, "neither");
	ward.publish();
	ward.subscribe("ann", "grp.ward");
	ward.subscribe("bob", "grp.ward");
	(void)Ward::raise("D0");
	const std::string all = ward.pass();
	CU_ASSERT(all == "grp.ward part D0; grp.ward part D0/name/address/location"
			  || all == "grp.ward part D0/name/address/location; grp.ward part D0");
}

void an_alert_that_a_rule_hides_leaves_no_trace()
{
	Ward ward;
	ward.for_ann(PolicyResource::type, "Oxi", Decision::polite_block);
	ward.publish();
	ward.subscribe("ann", "ann");
	const bmd::Index hidden = Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "");
	(void)Ward::raise("D1");
	BMD_EQUAL(ward.pass(), "ann part D1/name/address/location");
	bmd::queue_refresh("ann");
	BMD_EQUAL(ward.pass(), "ann full D1/name/address/location");
	const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
	CU_ASSERT(!bmd::may_answer("ann", bmd::store()->alerts[hidden]));
	BMD_EQUAL(bmd::open_alerts_for("ann").size(), 1U);
}

void a_count_is_told_whenever_it_changes()
{
	Ward ward;
	ward.for_ann(PolicyResource::everything, "", Decision::allow, "count");
	ward.publish();
	ward.subscribe("ann", "ann");
	(void)Ward::raise("D0");
	BMD_EQUAL(ward.pass(), "ann full +1");
	(void)Ward::raise("D1");
	BMD_EQUAL(ward.pass(), "ann full +2");
}

void what_is_shown_to_somebody_by_name_obeys_the_policy()
{
	Ward ward;
	ward.for_ann(PolicyResource::device, "D0", Decision::allow, "neither");
	ward.for_ann(PolicyResource::device, "D1", Decision::allow, "count");
	ward.publish();
	const bmd::AlertRec alert = bmd::store()->alerts[Ward::raise("D0")];
	const bmd::AlertRec counted = bmd::store()->alerts[Ward::raise("D1")];
	const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
	const bmd::Permits permits;
	CU_ASSERT(!permits.in_person("ann", counted));
	const auto seen = permits.in_person("ann", alert);
	CU_ASSERT(seen.has_value());
	bmd_alert_view view{};
	bmd::show_alert(alert, view, "ann", seen.value_or(bmd::Shown{}));
	BMD_EQUAL(std::string(view.patient) + view.patient_address + view.location, "");
	BMD_EQUAL(std::string(view.serial), "D0");
}

void who_would_not_see_an_alert_of_no_device_is_not_counted_on_either()
{
	Ward ward;
	ward.for_ann(PolicyResource::everything, "", Decision::block);
	ward.publish();
	bmd::AlertRec alert{};
	alert.condition = bmd::Condition::withheld;
	bmd::copy_text(alert.serial, bmd::name_size, "@bob");
	const std::shared_lock<bmd::RwLock> registry(bmd::store()->registry_lock);
	const auto ties = bmd::ties_of(alert);
	CU_ASSERT(ties.has_value());
	const bmd::EscalationStep step{0, bmd::Whom::person, "ann", bmd::how_message};
	const bmd::Reached reached = bmd::reach({}, step, ties.value_or(bmd::DeviceTies{}), 0);
	CU_ASSERT(reached.feeds.empty());
	BMD_EQUAL(reached.why, "may not see it by policy: ann; ann");
}

CU_TestInfo cases[] = {BMD_CASE(without_rules_the_assignments_decide),
		BMD_CASE(what_does_not_exist_is_refused_whatever_the_rules_say),
		BMD_CASE(people_of_another_domain_need_a_rule_for_it),
		BMD_CASE(a_rule_for_anyone_takes_nothing_from_the_responsible),
		BMD_CASE(facts_of_a_device_are_those_of_the_registry),
		BMD_CASE(what_is_not_shown_is_not_in_the_document),
		BMD_CASE(a_change_is_redacted_for_whom_it_must_be_and_for_nobody_else),
		BMD_CASE(an_alert_that_a_rule_hides_leaves_no_trace),
		BMD_CASE(a_count_is_told_whenever_it_changes),
		BMD_CASE(what_is_shown_to_somebody_by_name_obeys_the_policy),
		BMD_CASE(who_would_not_see_an_alert_of_no_device_is_not_counted_on_either),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo permits_suite;
const CU_SuiteInfo permits_suite = BMD_SUITE("permits", cases);
