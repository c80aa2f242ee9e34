/// @file storm_test.cpp  Unit tests for bmd/storm.hpp; the rules stand in storm_cases.tsv.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/storm.hpp"

#include <map>
#include <sstream>

#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::OpenStorm;
using bmd::second_us;
using bmd::SilentDevice;
using bmd::StormRules;
using bmd::StormSpan;

std::vector<std::string> parts(const std::string &cell)
{
	std::vector<std::string> list;
	std::istringstream text(cell == "-" ? "" : cell);
	for(std::string part; std::getline(text, part, ',');)
		list.push_back(part);
	return list;
}

std::uint64_t cause_of(char letter)
{
	return letter == 'S' ? bmd::site_cause : static_cast<std::uint64_t>(letter);
}

std::string letter_of(std::uint64_t cause)
{
	return cause == bmd::site_cause ? "S" : std::string(1, static_cast<char>(cause));
}

StormRules rules_of(const std::vector<std::string> &cells)
{
	const auto numbers = parts(cells[1]);
	StormRules rules;
	rules.devices = static_cast<std::uint32_t>(std::stoul(numbers[0]));
	rules.site_devices = static_cast<std::uint32_t>(std::stoul(numbers[1]));
	rules.window = std::stoll(numbers[2]) * second_us;
	rules.devices_in_use = static_cast<std::uint32_t>(std::stoul(cells[2]));
	return rules;
}

std::vector<OpenStorm> open_of(const std::string &cell)
{
	std::vector<OpenStorm> open;
	for(const std::string &part : parts(cell))
		open.push_back({cause_of(part[0]), StormSpan(std::stoll(part.substr(2)) * second_us)});
	return open;
}

std::vector<SilentDevice> devices_of(const std::string &cell)
{
	std::vector<SilentDevice> devices;
	for(const std::string &part : parts(cell)) {
		const std::size_t x = part.find('x');
		const std::size_t at = part.find('@');
		devices.insert(devices.end(), std::stoul(part.substr(0, x)),
				{cause_of(part[x + 1]), std::stoll(part.substr(at + 1)) * second_us});
	}
	return devices;
}

std::string shown(const bmd::Grouping &grouping, const std::vector<OpenStorm> &open)
{
	std::map<std::string, int> sizes;
	for(const std::size_t storm : grouping.storm)
		++sizes[storm == bmd::alone   ? "alone"
				: storm < open.size() ? letter_of(open[storm].cause)
									  : letter_of(grouping.opened[storm - open.size()]) + "+"];
	std::string text;
	for(const auto &[name, size] : sizes)
		text += (text.empty() ? "" : ",") + name + ":" + std::to_string(size);
	return text;
}

void devices_of_one_cause_are_grouped_as_the_table_says()
{
	for(const auto &row : bmd_test::read_tsv("storm_cases.tsv")) {
		const auto open = open_of(row.cells[3]);
		const auto devices = devices_of(row.cells[4]);
		const auto grouping = bmd::group_silent(rules_of(row.cells), open, devices);
		CU_ASSERT(grouping.storm.size() == devices.size());
		const std::string where = std::to_string(row.line) + ' ' + row.cells[0] + ": ";
		BMD_EQUAL(where + shown(grouping, open), where + row.cells[5]);
	}
}

void a_storm_grows_as_long_as_enough_devices_come_in_its_window()
{
	StormRules rules;
	rules.devices = 3;
	rules.window = 10;
	StormSpan span;
	for(const bmd::TimeUs heard : {100, 105, 101})
		span.took(heard, rules, 7);
	CU_ASSERT(span.takes(115) && !span.takes(116));
	span.took(114, rules, 7);
	span.took(115, rules, 7);
	CU_ASSERT(!span.takes(116));
	span.took(90, rules, 7); // the third within this window
	CU_ASSERT(span.takes(125) && !span.takes(126));
}

void a_storm_ends_when_few_are_left_for_too_long()
{
	const StormRules rules; // 10, 120 s
	CU_ASSERT(!bmd::few_of_storm(rules, 10));
	CU_ASSERT(bmd::few_of_storm(rules, 9));
	CU_ASSERT(bmd::storm_over(rules, 2, 0, 0));
	CU_ASSERT(!bmd::storm_over(rules, 3, 0, 1000 * second_us));
	CU_ASSERT(!bmd::storm_over(rules, 3, second_us, 120 * second_us));
	CU_ASSERT(bmd::storm_over(rules, 3, second_us, 121 * second_us));
}

void no_device_is_called_as_a_storm_and_no_two_storms_alike()
{
	BMD_EQUAL(bmd::storm_name("home-3"), "@home-3");
	BMD_EQUAL(bmd::storm_name(""), "@");
	BMD_EQUAL(bmd::storm_cause("@home-3"), "collector home-3");
	BMD_EQUAL(bmd::storm_cause("@"), "site");
	BMD_EQUAL(bmd::storm_cause("home-3"), "");
	const std::string long_name(30, 'c');
	BMD_EQUAL(bmd::storm_name(long_name).size(), 31U);
	BMD_EQUAL(bmd::storm_name(long_name + "1").size(), 31U);
	CU_ASSERT(bmd::storm_name(long_name + "1") != bmd::storm_name(long_name + "2"));
}

CU_TestInfo cases[] = {BMD_CASE(devices_of_one_cause_are_grouped_as_the_table_says),
		BMD_CASE(a_storm_grows_as_long_as_enough_devices_come_in_its_window),
		BMD_CASE(a_storm_ends_when_few_are_left_for_too_long),
		BMD_CASE(no_device_is_called_as_a_storm_and_no_two_storms_alike), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo storm_suite;
const CU_SuiteInfo storm_suite = BMD_SUITE("storm", cases);
