/// @file watcher_test.cpp  Unit tests for bmd/watcher.hpp; the cases stand in watcher_cases.tsv.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/watcher.hpp"

#include <sstream>

#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::Priority;
using bmd::second_us;
using bmd::TimeUs;
using bmd::WatcherRule;
using Cells = std::vector<std::string>;

constexpr TimeUs now = 1'000'000 * second_us;

std::string given(const std::string &cell)
{
	return cell == "-" ? "" : cell;
}

Cells parts(const std::string &cell)
{
	Cells list;
	std::istringstream text(given(cell));
	for(std::string part; std::getline(text, part, ',');)
		list.push_back(part);
	return list;
}

WatcherRule rule_of(const Cells &cells)
{
	WatcherRule rule;
	rule.id = std::stoi(cells[1]);
	rule.scope = static_cast<bmd::WatcherScope>(std::stoi(cells[2]));
	rule.who = cells[3];
	rule.team = rule.scope == bmd::WatcherScope::team ? "night" : "";
	rule.device_type = given(cells[4]);
	rule.group = given(cells[5]);
	rule.metric = given(cells[6]);
	rule.kind = bmd::parse_kind(cells[7]);
	rule.priority = bmd::parse_priority(cells[8]);
	rule.persistence = std::stoll(cells[9]) * second_us;
	rule.most_per_minute = static_cast<std::uint32_t>(std::stoul(cells[10]));
	rule.digest_every = std::stoll(cells[11]) * second_us;
	rule.digest_medium = cells[12] == "1";
	return rule;
}

std::string found(const bmd::WatcherRules &rules, const Cells &cells)
{
	const bmd::WatcherSubject subject{bmd::parse_priority(cells[3]).value(),
			bmd::parse_kind(cells[4]).value(), cells[5], parts(cells[6]), cells[7]};
	const WatcherRule *rule = rules.find(cells[1], cells[2], subject);
	CU_ASSERT(rule == nullptr || rules.any(cells[1], cells[2]));
	return std::to_string(rule == nullptr ? 0 : rule->id);
}

TimeUs ago(const std::string &cell)
{
	return cell == "-" ? 0 : now - std::stoll(cell) * second_us;
}

std::string held(const std::vector<WatcherRule> &rules, const Cells &cells)
{
	const WatcherRule *rule = nullptr;
	for(const WatcherRule &one : rules)
		if(one.id == std::stoi(cells[1]))
			rule = &one;
	const auto flag = [&](char c) { return cells[3].find(c) != std::string::npos; };
	const bmd::WatchedAlert alert{bmd::parse_priority(cells[2]).value(), flag('h'), flag('e'),
			!flag('c'), flag('u'), ago(cells[4]), flag('k') ? 60 * second_us : 0, flag('b')};
	std::vector<TimeUs> told;
	for(const std::string &one : parts(cells[6]))
		told.push_back(ago(one));
	const bmd::Hold hold =
			bmd::hold_back(rule, alert, {flag('k') ? ago(cells[5]) : 0, ago(cells[5]), told}, now);
	if(hold.never)
		return "never";
	if(hold.why == bmd::HoldReason::none)
		return hold.counts ? "now+" : "now";
	const auto seconds = [](TimeUs at) { return std::to_string((at - now) / second_us); };
	return std::string(to_string(hold.why)) + " " + seconds(hold.until)
		   + (hold.lasts_at == 0 ? "" : "~" + seconds(hold.lasts_at));
}

void every_row_of_the_table_is_decided_as_it_says()
{
	std::vector<WatcherRule> list;
	for(const bmd_test::Row &row : bmd_test::read_tsv("watcher_cases.tsv"))
		if(row.cells[0] == "rule") // whatever order they come in
			list.insert(list.begin(), rule_of(row.cells));
	const bmd::WatcherRules rules(list);
	int decided = 0;
	for(const bmd_test::Row &row : bmd_test::read_tsv("watcher_cases.tsv")) {
		const Cells &cells = row.cells;
		const std::string line = "line " + std::to_string(row.line) + ": ";
		if(cells[0] == "find")
			BMD_EQUAL(line + found(rules, cells), line + cells[8]);
		else if(cells[0] == "hold")
			BMD_EQUAL(line + held(list, cells), line + cells[7]);
		decided += cells[0] == "rule" ? 0 : 1;
	}
	CU_ASSERT(decided > 50);
}

void rules_are_the_same_after_being_text()
{
	std::vector<WatcherRule> list;
	for(const bmd_test::Row &row : bmd_test::read_tsv("watcher_cases.tsv"))
		if(row.cells[0] == "rule")
			list.push_back(rule_of(row.cells));
	const std::string text = bmd::write_watcher_rules(list);
	const auto read = bmd::read_watcher_rules(text);
	CU_ASSERT(read.ok());
	if(!read)
		return;
	BMD_EQUAL(read->all().size(), list.size());
	BMD_EQUAL(bmd::write_watcher_rules(read->all()), text);
	CU_ASSERT(bmd::read_watcher_rules("")->empty());
}

void text_that_is_no_rule_is_refused_with_its_line()
{
	const std::string good = "1\t1\tann\t\t\t\t\t\tlow\t0\t0\t1000000\t0\n";
	CU_ASSERT(bmd::read_watcher_rules(good).ok());
	for(const std::string bad : {"x\t1\tann\t\t\t\t\t\tlow\t0\t0\t0\t0\n",
				"1\t4\tann\t\t\t\t\t\tlow\t0\t0\t0\t0\n", "1\t1\t\t\t\t\t\t\tlow\t0\t0\t0\t0\n",
				"1\t1\tann\t\t\t\t\t\turgent\t0\t0\t0\t0\n", "1\t1\tann\t\t\t\t\t\tlow\t0\t0\t0\n",
				"1\t1\tann\t\t\t\t\t\tlow\t0\t0\t0\t0\t0\n",
				"1\t1\tann\t\t\t\t\t\tlow\t0\t0\t0\t0"}) {
		const auto read = bmd::read_watcher_rules(good + bad);
		CU_ASSERT(!read.ok());
		if(!read)
			CU_ASSERT(read.error().reason.find("line 2") != std::string::npos);
	}
}

void a_rule_is_said_in_words()
{
	WatcherRule rule;
	rule.id = 3;
	rule.scope = bmd::WatcherScope::team;
	rule.who = "ann";
	rule.team = "night";
	BMD_EQUAL(bmd::in_words(rule), "rule 3 of team night: told at once");
	rule.metric = "SpO2";
	rule.priority = Priority::low;
	rule.persistence = 90 * second_us;
	rule.most_per_minute = 4;
	rule.digest_every = 300 * second_us;
	BMD_EQUAL(bmd::in_words(rule),
			"rule 3 of team night (metric SpO2, low priority): told when it has lasted 90 s; at "
			"most 4 a minute; low priority together, 5 min after the first");
	BMD_EQUAL(bmd::in_words(7'200 * second_us) + " " + bmd::in_words(second_us / 20), "2 h 50 ms");
}

CU_TestInfo cases[] = {BMD_CASE(every_row_of_the_table_is_decided_as_it_says),
		BMD_CASE(rules_are_the_same_after_being_text),
		BMD_CASE(text_that_is_no_rule_is_refused_with_its_line), BMD_CASE(a_rule_is_said_in_words),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo watcher_suite;
const CU_SuiteInfo watcher_suite = BMD_SUITE("watcher", cases);
