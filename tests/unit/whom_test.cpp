/// @file whom_test.cpp  Unit tests of whom the steps of an escalation reach, and when.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "whom.hpp"

#include "bed.hpp"
#include "windows.hpp"

namespace {

using namespace bmd_test;
using bmd::Whom;

constexpr TimeUs raised = 1'800'000'000 * second_us;

void member(std::string_view feed)
{
	bmd::FeedChanges changes;
	CU_ASSERT(bmd::put_member(feed, "D0", bmd::new_mark(), changes));
}

bmd::Duty duty_of(const std::string &team, std::vector<std::string> members)
{
	bmd::Duty duty;
	duty.teams.push_back({7, team, std::move(members)});
	return duty;
}

std::string text_of(const std::vector<std::string> &words)
{
	std::string text;
	for(const std::string &word : words)
		text += (text.empty() ? "" : " ") + word;
	return text;
}

// "0 s ann; 30 s -; ...": when each step begins and whom it reaches.
std::string plan(const bmd::Duty &duty, const bmd::EscalationPolicy &policy,
		bmd::EscalationProgress progress = {0, raised}, TimeUs earliest = 0)
{
	std::string text;
	for(const auto &step :
			bmd::plan_of(duty, policy, bmd::ties_of(Bed::device()), progress, earliest))
		text += (text.empty() ? "" : "; ") + std::to_string((step.at - raised) / second_us) + " s "
				+ (step.people.reached.feeds.empty() ? "-" : text_of(step.people.reached.feeds));
	return text;
}

void a_window_of_a_group_is_looked_for_among_groups_though_a_team_is_responsible()
{
	const Bed bed;
	member("@7"); // shorter than the names of groups
	bmd::WindowRec window{};
	window.scope = bmd::WindowScope::group;
	window.until = second_us;
	bmd::copy_text(window.name, bmd::name_size, "ward");
	CU_ASSERT(bmd::put_window(window));
	bmd::WindowRec found{};
	CU_ASSERT(!bmd::find_window(Bed::device(), 1, found));
	member("grp.ward");
	CU_ASSERT(bmd::find_window(Bed::device(), 1, found));
}

void a_device_without_a_team_of_its_own_has_the_default_team()
{
	const Bed bed;
	bmd::Duty duty = duty_of("night", {"ann"});
	duty.default_team = "night";
	member("ann"); // somebody is responsible
	BMD_EQUAL(text_of(bmd::teams_of(duty, bmd::ties_of(Bed::device()))), "night");
	duty.teams.push_back({8, "day", {}});
	member("@8");
	BMD_EQUAL(text_of(bmd::teams_of(duty, bmd::ties_of(Bed::device()))), "day");
}

void a_group_that_nobody_may_watch_is_nobody()
{
	const Bed bed;
	member("grp.ward");
	const bmd::EscalationStep step{0, Whom::group, "ward", bmd::how_subscribe};
	const bmd::DeviceTies ties = bmd::ties_of(Bed::device());
	const bmd::Reached nobody = bmd::reach({}, step, ties, raised);
	CU_ASSERT(nobody.feeds.empty());
	BMD_EQUAL(nobody.why, "nobody may watch grp.ward");
	bmd::FeedChanges changes;
	const std::vector<std::string> groups{"grp.ward"};
	CU_ASSERT(bmd::put_person("ann", groups, changes));
	BMD_EQUAL(text_of(bmd::reach({}, step, ties, raised).feeds), "grp.ward");
}

void who_is_disabled_is_shown_to_be_nobody()
{
	const Bed bed;
	const bmd::Duty duty = duty_of("night", {"ann", "gone"});
	const bmd::EscalationStep step{0, Whom::team, "night", bmd::how_subscribe};
	const bmd::Reached reached = bmd::reach(duty, step, bmd::ties_of(Bed::device()), raised);
	BMD_EQUAL(text_of(reached.feeds), "ann");
	BMD_EQUAL(reached.why, "disabled or unknown: gone; 2 of team night");
}

void a_repetition_for_earlier_people_is_made_in_all_ways_it_stands_for()
{
	const Bed bed;
	const bmd::Duty duty = duty_of("night", {"gone"});
	bmd::EscalationPolicy policy = bmd::default_policy(Priority::high);
	policy.steps[1] = {30 * second_us, Whom::person, "ann", bmd::how_subscribe};
	policy.steps[2] = {60 * second_us, Whom::team, "night", bmd::how_call};
	const bmd::DeviceTies ties = bmd::ties_of(Bed::device());
	const bmd::StepPeople first = bmd::people_of(duty, policy, ties, 2, raised);
	CU_ASSERT(first.reached.feeds.empty());
	const bmd::StepPeople again = bmd::people_of(duty, policy, ties, 3, raised);
	BMD_EQUAL(text_of(again.reached.feeds), "ann");
	BMD_EQUAL(again.index, 1U);
	BMD_EQUAL(bmd::how_text(again.how), "subscribe+call");
}

void a_plan_passes_gaps_at_once_and_counts_what_follows_from_there()
{
	const Bed bed;
	member("ann");
	bmd::Duty duty = duty_of("night", {"ann"}); // without a roster
	duty.default_team = "night";
	const bmd::EscalationPolicy policy = bmd::default_policy(Priority::medium);
	BMD_EQUAL(plan(duty, policy), "0 s ann; 180 s -; 180 s ann; 360 s ann");
	BMD_EQUAL(plan(duty, policy, {2, raised}), "360 s ann; 540 s ann");
	BMD_EQUAL(plan(duty, policy, {5, raised}), "900 s ann");
	// late: it begins now, and moves those that follow
	BMD_EQUAL(plan(duty, policy, {2, raised}, raised + 1000 * second_us), "1000 s ann; 1180 s ann");
}

CU_TestInfo cases[] = {
		BMD_CASE(a_window_of_a_group_is_looked_for_among_groups_though_a_team_is_responsible),
		BMD_CASE(a_device_without_a_team_of_its_own_has_the_default_team),
		BMD_CASE(a_group_that_nobody_may_watch_is_nobody),
		BMD_CASE(who_is_disabled_is_shown_to_be_nobody),
		BMD_CASE(a_repetition_for_earlier_people_is_made_in_all_ways_it_stands_for),
		BMD_CASE(a_plan_passes_gaps_at_once_and_counts_what_follows_from_there), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo whom_suite;
const CU_SuiteInfo whom_suite = BMD_SUITE("whom", cases);
