/// @file escalation_test.cpp  Unit tests for bmd/escalation.hpp and bmd/duty.hpp; the cases stand
/// in escalation_cases.tsv.  SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/escalation.hpp"

#include <algorithm>
#include <sstream>

#include "bmd/duty.hpp"
#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::EscalationPolicy;
using bmd::EscalationProgress;
using bmd::Priority;
using bmd::second_us;
using bmd::TimeUs;

std::vector<std::string> parts(const std::string &cell)
{
	std::vector<std::string> list;
	std::istringstream text(cell == "-" ? "" : cell);
	for(std::string part; std::getline(text, part, ',');)
		list.push_back(part);
	return list;
}

std::int32_t clock_of(const std::string &text)
{
	return std::stoi(text.substr(0, 2)) * 3600 + std::stoi(text.substr(3)) * 60;
}

std::string given(const std::string &cell)
{
	return cell == "-" ? "" : cell;
}

EscalationPolicy policy_of(const std::vector<std::string> &cells, std::int32_t id)
{
	EscalationPolicy policy;
	policy.id = id;
	policy.name = cells[1];
	policy.priority = bmd::parse_priority(cells[2]);
	policy.device_type = given(cells[3]);
	policy.group = given(cells[4]);
	policy.hours.days = 0;
	for(const char day : cells[5])
		policy.hours.days |= static_cast<std::uint8_t>(1U << (day - '1'));
	policy.hours.from = clock_of(cells[6]);
	policy.hours.until = clock_of(cells[7]);
	policy.repeat = std::stoll(cells[8]) * second_us;
	for(const std::string &after : parts(cells[9]))
		policy.steps.push_back({std::stoll(after) * second_us, bmd::Whom::responsible, {}, 1});
	return policy;
}

// Seconds after `raised` at which the first six steps begin, each at its time.
std::string dues(const EscalationPolicy &policy, TimeUs raised)
{
	std::string text;
	EscalationProgress progress{0, raised};
	for(int i = 0; i < 6; ++i) {
		const TimeUs due = bmd::due_at(policy, progress);
		text += (i > 0 ? "," : "") + std::to_string((due - raised) / second_us);
		progress = bmd::begin_step(policy, progress, due);
	}
	return text;
}

void every_alert_of_the_table_gets_its_policy_and_times()
{
	const bmd::Zone berlin = bmd::Zone::find("Europe/Berlin").value();
	std::vector<EscalationPolicy> policies;
	for(const bmd_test::Row &row : bmd_test::read_tsv("escalation_cases.tsv")) {
		const auto &cells = row.cells;
		if(cells[0] == "policy") {
			// whatever order they come in
			policies.insert(policies.begin(),
					policy_of(cells, static_cast<std::int32_t>(policies.size() + 1)));
			continue;
		}
		const bmd::EscalationSubject subject{bmd::parse_priority(cells[1]).value(), cells[2],
				parts(cells[3]), bmd::parse_time(cells[4]).value()};
		const EscalationPolicy found = bmd::policy_for(policies, subject, berlin);
		const std::string line = "line " + std::to_string(row.line) + ": ";
		BMD_EQUAL(line + found.name + " " + dues(found, subject.raised_at),
				line + cells[5] + " " + cells[6]);
	}
}

// "30:0,30,60"
EscalationPolicy policy_from(const std::string &cell)
{
	const auto colon = cell.find(':');
	EscalationPolicy policy;
	policy.repeat = std::stoll(cell) * second_us;
	for(const std::string &after : parts(cell.substr(colon + 1)))
		policy.steps.push_back({std::stoll(after) * second_us, bmd::Whom::responsible, {}, 1});
	return policy;
}

void a_change_of_policy_postpones_no_step_by_more_than_its_interval()
{
	constexpr TimeUs raised = 5'000 * second_us;
	for(const bmd_test::Row &row : bmd_test::read_tsv("escalation_changes.tsv")) {
		const EscalationPolicy before = policy_from(row.cells[0]);
		EscalationProgress progress{0, raised};
		for(int i = std::stoi(row.cells[1]); i > 0; --i)
			progress = bmd::begin_step(before, progress, bmd::due_at(before, progress));
		const EscalationPolicy after = policy_from(row.cells[2]);
		const std::string line = "line " + std::to_string(row.line) + ": ";
		const auto due = [&] {
			return line + std::to_string((bmd::due_at(after, progress) - raised) / second_us);
		};
		BMD_EQUAL(due(), line + row.cells[3]);
		// and from the next one on as if it had always been so
		const TimeUs now = std::max(bmd::due_at(after, progress), progress.last);
		progress = bmd::begin_step(after, progress, now);
		const TimeUs next = bmd::due_at(after, progress);
		const bool repeats = bmd::round_of(after, progress.begun) > 0;
		CU_ASSERT(next >= now && (!repeats || next == now + after.repeat));
	}
}

void a_rejection_hastens_a_repetition_too_when_it_is_asked_for()
{
	const EscalationPolicy policy = bmd::default_policy(Priority::low);
	const TimeUs now = 50'000 * second_us;
	const EscalationProgress hastened = bmd::hasten(policy, {7, 0, 49'900 * second_us}, now);
	BMD_EQUAL(bmd::due_at(policy, hastened), now);
	const EscalationProgress next = bmd::begin_step(policy, hastened, now);
	BMD_EQUAL(bmd::due_at(policy, next), now + 900 * second_us);
}

void without_policies_the_built_in_ones_are_in_force()
{
	const auto times = [](Priority priority) {
		const auto policy = bmd::policy_for({}, {priority, "t", {}, 0}, bmd::Zone::utc());
		CU_ASSERT(policy.id == 0 && policy.name == "default");
		return dues(policy, 0);
	};
	BMD_EQUAL(times(Priority::high), "0,30,60,90,120,150");
	BMD_EQUAL(times(Priority::medium), "0,180,360,540,720,900");
	BMD_EQUAL(times(Priority::low), "0,900,1800,2700,3600,4500");
}

void the_last_step_repeats_and_counts_its_rounds()
{
	const EscalationPolicy policy = bmd::default_policy(Priority::high);
	const auto place = [&](std::uint32_t n) {
		return std::to_string(bmd::step_index(policy, n)) + "/"
			   + std::to_string(bmd::round_of(policy, n));
	};
	BMD_EQUAL(place(0) + " " + place(1) + " " + place(2) + " " + place(3) + " " + place(7),
			"0/0 1/0 2/0 2/1 2/5");
}

void a_rejection_makes_the_next_step_due_and_the_others_follow_it()
{
	const EscalationPolicy policy = bmd::default_policy(Priority::high);
	const TimeUs raised = 1'000 * second_us;
	EscalationProgress progress = bmd::begin_step(policy, {0, raised}, raised);
	const TimeUs rejected = raised + 4 * second_us;
	progress = bmd::hasten(policy, progress, rejected);
	BMD_EQUAL(bmd::due_at(policy, progress), rejected);
	progress = bmd::begin_step(policy, progress, rejected);
	BMD_EQUAL(bmd::due_at(policy, progress), rejected + 30 * second_us);
}

void what_is_late_does_not_come_all_at_once()
{
	const EscalationPolicy policy = bmd::default_policy(Priority::high);
	const TimeUs now = 3'600 * second_us; // the server was down for an hour
	EscalationProgress progress = bmd::begin_step(policy, {1, 0}, now);
	BMD_EQUAL(bmd::due_at(policy, progress), now + 30 * second_us);
	// a moment late is not late: the times stay those of the alert
	progress = bmd::begin_step(policy, {1, 0}, 30 * second_us + 500'000);
	BMD_EQUAL(bmd::due_at(policy, progress), 60 * second_us);
}

bmd::Duty sample()
{
	bmd::Duty duty;
	duty.zone = "Europe/Berlin";
	duty.default_team = "night";
	duty.teams = {{3, "night", {"anna", "boris"}}, {4, "empty", {}}};
	duty.group_teams = {{"homes", "night"}};
	duty.rosters.push_back({"night", "Europe/Berlin", {}, {{7, "anna", 1, 2, 3}}});
	duty.rosters.back().layers.push_back({"weeks", {"anna", "boris"}, -5, 3600, {1, 2, 3}});
	duty.rosters.back().layers.push_back({"empty", {}, 0, 3600, {}});
	duty.policies.push_back(bmd::default_policy(Priority::low));
	duty.policies.back().priority = Priority::low;
	duty.policies.back().steps.push_back({9, bmd::Whom::group, "homes", 7});
	return duty;
}

void rosters_and_policies_survive_being_text()
{
	const std::string text = bmd::write_duty(sample());
	const auto again = bmd::read_duty(text);
	CU_ASSERT(again.ok());
	if(!again.ok())
		return;
	BMD_EQUAL(bmd::write_duty(*again), text);
	CU_ASSERT(again->find_team("night")->members.size() == 2);
	CU_ASSERT(again->find_team(4)->name == "empty" && again->find_team("none") == nullptr);
	CU_ASSERT(again->find_roster("night")->layers.size() == 2);
	CU_ASSERT(again->policies[0].steps[3].whom == bmd::Whom::group);
}

void text_that_is_cut_or_wrong_is_refused_with_its_line()
{
	const std::string text = bmd::write_duty(sample());
	CU_ASSERT(!bmd::read_duty(text.substr(0, text.size() - 1)).ok());
	for(const std::string_view wrong : {"X\t1\n", "L\ta\t1\t2\t3\t4\t5\n", "S\t1\tnobody\t\t1\n",
				"T\tx\tnight\n", "H\tEtc/UTC\n", "O\t1\ta\t1\t2\t3\n"}) {
		const auto read = bmd::read_duty("H\tEtc/UTC\t\n" + std::string(wrong));
		CU_ASSERT(!read.ok());
		if(!read.ok())
			BMD_EQUAL(read.error().reason, "line 2 of the rosters and policies");
	}
}

CU_TestInfo cases[] = {BMD_CASE(every_alert_of_the_table_gets_its_policy_and_times),
		BMD_CASE(a_change_of_policy_postpones_no_step_by_more_than_its_interval),
		BMD_CASE(a_rejection_hastens_a_repetition_too_when_it_is_asked_for),
		BMD_CASE(without_policies_the_built_in_ones_are_in_force),
		BMD_CASE(the_last_step_repeats_and_counts_its_rounds),
		BMD_CASE(a_rejection_makes_the_next_step_due_and_the_others_follow_it),
		BMD_CASE(what_is_late_does_not_come_all_at_once),
		BMD_CASE(rosters_and_policies_survive_being_text),
		BMD_CASE(text_that_is_cut_or_wrong_is_refused_with_its_line), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo escalation_suite;
const CU_SuiteInfo escalation_suite = BMD_SUITE("escalation", cases);
