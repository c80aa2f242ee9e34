/// @file policy_test.cpp  Unit tests for bmd/policy.hpp; the cases stand in policy_cases.tsv.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/policy.hpp"

#include <sstream>

#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::PolicyRule;
using bmd::second_us;
using bmd::TimeUs;
using Cells = std::vector<std::string>;

constexpr TimeUs hour = 3600 * second_us;
constexpr TimeUs day_one = 20'000 * 24 * hour; // a Wednesday, in UTC

std::string given(const std::string &cell)
{
	return cell == "-" ? "" : cell;
}

TimeUs time_of(const std::string &cell)
{
	return cell == "-" ? 0 : day_one + std::stoll(cell) * hour;
}

template <class T> T numbered(const std::string &name, int last)
{
	for(int i = 1; i <= last; ++i)
		if(to_string(static_cast<T>(i)) == name)
			return static_cast<T>(i);
	CU_FAIL("an unknown word in the table");
	return T{};
}

PolicyRule rule_of(const Cells &cells)
{
	PolicyRule rule;
	rule.id = std::stoi(cells[1]);
	rule.watcher = numbered<bmd::PolicyWatcher>(cells[2], 5);
	rule.who = given(cells[3]);
	rule.resource = numbered<bmd::PolicyResource>(cells[4], 7);
	rule.what = given(cells[5]);
	rule.decision = bmd::parse_decision(cells[6]).value();
	rule.shown = bmd::parse_shown(cells[7]).value();
	rule.most = cells[8] == "-" ? 0 : static_cast<std::uint32_t>(std::stoul(cells[8]));
	rule.from = time_of(cells[9]);
	rule.until = time_of(cells[10]);
	if(cells[11] != "-") {
		rule.hours.from = std::stoi(cells[11]) * 3600;
		rule.hours.until = std::stoi(cells[11].substr(cells[11].find('-') + 1)) * 3600;
	}
	return rule;
}

// One hospital of the table.
struct Hospital
{
	std::vector<PolicyRule> rules;
	std::vector<bmd::Policy::Pair> members;
	std::map<bmd::Policy::Pair, bool> answers;

	bool take(const Cells &cells)
	{
		if(cells[0] == "begin")
			*this = {};
		else if(cells[0] == "rule") // whatever order they come in
			rules.insert(rules.begin(), rule_of(cells));
		else if(cells[0] == "member")
			members.emplace_back(cells[1], cells[2]);
		else if(cells[0] == "answer")
			answers[{cells[1], cells[2]}] = cells[3] == "1";
		else
			return false;
		return true;
	}
	[[nodiscard]] bmd::Policy policy() const { return {rules, members, answers, "Etc/UTC"}; }
};

std::vector<std::string_view> parts(const std::string &cell)
{
	std::vector<std::string_view> list;
	std::string_view left = cell;
	while(!left.empty() && cell != "-") {
		const std::size_t comma = left.find(',');
		list.push_back(left.substr(0, comma));
		left.remove_prefix(comma == std::string_view::npos ? left.size() : comma + 1);
	}
	return list;
}

std::string decided(const bmd::Policy &policy, const Cells &cells)
{
	const std::string domain = given(cells[2]);
	const std::string serial = given(cells[5]);
	const std::string type = given(cells[6]);
	const std::string patient = given(cells[7]);
	const bmd::PolicyPerson person{cells[1], domain, cells[3] == "1"};
	const bmd::PolicyTarget target{
			cells[4], serial, type, patient, parts(cells[8]), parts(cells[9])};
	const TimeUs at = time_of(cells[10]);
	const bmd::Verdict verdict = policy.decide(person, target, at, policy.rules_for(person));
	std::vector<bmd::PolicyStep> steps;
	const bmd::Verdict explained = policy.explain(person, target, at, steps);
	CU_ASSERT(explained.rule == verdict.rule && explained.decision == verdict.decision);
	CU_ASSERT(steps.size() == policy.rules().size() + 1);
	int deciding = 0;
	for(const bmd::PolicyStep &step : steps) {
		deciding += step.decides ? 1 : 0;
		CU_ASSERT(!step.decides || step.rule == verdict.rule);
		CU_ASSERT(!step.why.empty() && !step.says.empty());
	}
	CU_ASSERT(deciding == (verdict.decided ? 1 : 0));
	return std::string(to_string(verdict.decision)) + " " + std::string(to_string(verdict.shown))
		   + " " + std::to_string(verdict.most) + " "
		   + (verdict.decided ? std::to_string(verdict.rule) : "-");
}

void every_row_of_the_table_is_decided_as_it_says()
{
	Hospital hospital;
	int cases = 0;
	for(const bmd_test::Row &row : bmd_test::read_tsv("policy_cases.tsv")) {
		const Cells &cells = row.cells;
		if(hospital.take(cells))
			continue;
		const std::string line = "line " + std::to_string(row.line) + ": ";
		const std::string wanted = cells[11] + " " + cells[12] + " " + cells[13] + " " + cells[14];
		BMD_EQUAL(line + decided(hospital.policy(), cells), line + wanted);
		++cases;
	}
	CU_ASSERT(cases > 60);
}

void a_policy_is_the_same_after_being_text()
{
	Hospital hospital;
	int policies = 0;
	const auto check = [&] {
		const std::string text = bmd::write_policy(hospital.policy());
		const auto read = bmd::read_policy(text);
		CU_ASSERT(read.ok());
		if(read)
			BMD_EQUAL(bmd::write_policy(*read), text);
		++policies;
	};
	for(const bmd_test::Row &row : bmd_test::read_tsv("policy_cases.tsv")) {
		if(row.cells[0] == "begin")
			check();
		(void)hospital.take(row.cells);
	}
	check();
	CU_ASSERT(policies > 5);
	CU_ASSERT(bmd::read_policy("")->empty());
}

void text_that_is_no_policy_is_refused_with_its_line()
{
	const std::string good = "R\t1\tperson\tann\tdevice\tD1\tallow\tfull\t0\t0\t0\t127\t0\t86400\n";
	CU_ASSERT(bmd::read_policy(good).ok());
	for(const std::string bad :
			{"R\tx\tperson\tann\tdevice\tD1\tallow\tfull\t0\t0\t0\t127\t0\t86400\n",
					"R\t1\tnurse\tann\tdevice\tD1\tallow\tfull\t0\t0\t0\t127\t0\t86400\n",
					"R\t1\tperson\t\tdevice\tD1\tallow\tfull\t0\t0\t0\t127\t0\t86400\n",
					"R\t1\tperson\tann\tdevice\t\tallow\tfull\t0\t0\t0\t127\t0\t86400\n",
					"R\t1\tperson\tann\tdevice\tD1\tpermit\tfull\t0\t0\t0\t127\t0\t86400\n",
					"R\t1\tperson\tann\tdevice\tD1\tallow\thalf\t0\t0\t0\t127\t0\t86400\n",
					"R\t1\tperson\tann\tdevice\tD1\tallow\tfull\t0\t0\t0\t0\t0\t86400\n",
					"R\t1\tperson\tann\tdevice\tD1\tallow\tfull\t0\t0\t0\t127\t0\n",
					"M\tteam night\n", "A\tann\tD1\tyes\n", "Q\t1\n", "Z\tEtc/UTC"}) {
		const auto read = bmd::read_policy(good + bad);
		CU_ASSERT(!read.ok());
		if(!read)
			CU_ASSERT(read.error().reason.find("line 2") != std::string::npos);
	}
}

void the_next_change_is_the_first_edge_of_any_rule()
{
	PolicyRule timed;
	timed.from = day_one + 5 * hour;
	timed.until = day_one + 30 * hour;
	PolicyRule nightly;
	nightly.hours.from = 22 * 3600;
	nightly.hours.until = 6 * 3600;
	const bmd::Policy policy({timed, nightly}, {}, {}, "Etc/UTC");
	const auto next = [&](int from) {
		return static_cast<int>((policy.next_change(day_one + from * hour) - day_one) / hour);
	};
	BMD_EQUAL(next(0), 5);
	BMD_EQUAL(next(5), 6);
	BMD_EQUAL(next(6), 22);
	BMD_EQUAL(next(22), 30); // both the end of the one and of the other
	BMD_EQUAL(next(30), 46);
	BMD_EQUAL(bmd::Policy({PolicyRule{}}, {}, {}, "").next_change(day_one), 0);
}

void hours_are_those_of_the_hospital()
{
	PolicyRule rule;
	rule.id = 1;
	rule.decision = bmd::Decision::allow;
	rule.hours.from = 8 * 3600;
	rule.hours.until = 9 * 3600;
	const bmd::Policy policy({rule}, {}, {}, "Asia/Tokyo"); // nine hours ahead
	const auto at = [&](int hours) {
		const bmd::PolicyPerson ann{"ann", "", false};
		return policy.decide(ann, {}, day_one + hours * hour, policy.rules_for(ann)).allows();
	};
	CU_ASSERT(at(23) && !at(8) && !at(0));
}

void a_rule_is_said_in_words()
{
	PolicyRule rule;
	rule.id = 3;
	rule.watcher = bmd::PolicyWatcher::team;
	rule.who = "night";
	rule.resource = bmd::PolicyResource::group;
	rule.what = "ward";
	rule.decision = bmd::Decision::allow;
	rule.shown.identity = false;
	rule.most = 2;
	BMD_EQUAL(bmd::in_words(rule),
			"rule 3 for team night, group ward: allow, no-identity, at most 2 subscriptions");
	rule = PolicyRule{};
	rule.id = 4;
	rule.hours.from = 3600;
	BMD_EQUAL(bmd::in_words(rule), "rule 4 for anyone, everything: block, at certain hours");
}

CU_TestInfo cases[] = {BMD_CASE(every_row_of_the_table_is_decided_as_it_says),
		BMD_CASE(a_policy_is_the_same_after_being_text),
		BMD_CASE(text_that_is_no_policy_is_refused_with_its_line),
		BMD_CASE(the_next_change_is_the_first_edge_of_any_rule),
		BMD_CASE(hours_are_those_of_the_hospital), BMD_CASE(a_rule_is_said_in_words),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo policy_suite;
const CU_SuiteInfo policy_suite = BMD_SUITE("policy", cases);
