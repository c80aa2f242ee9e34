/// @file threshold_test.cpp  Unit tests for bmd/threshold.hpp; the cases stand in
/// threshold_cases.tsv. SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/threshold.hpp"

#include <cmath>
#include <limits>
#include <sstream>

#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::Breach;
using bmd::Change;

double limit(const std::string &cell, double unchecked)
{
	return cell == "-" ? unchecked : std::stod(cell);
}

std::string word(Breach breach)
{
	return breach == Breach::low ? "low" : breach == Breach::high ? "high" : "invalid";
}

std::string describe(const bmd::Step &step)
{
	switch(step.change) {
		case Change::raise:
			return "raise-" + word(step.condition);
		case Change::clear:
			return "clear-" + word(step.cleared);
		case Change::swap:
			return "swap-" + word(step.cleared) + "-" + word(step.condition);
		case Change::none:
			break;
	}
	return "";
}

// Plays one row and returns its changes in the words of the table.
std::string play(const bmd_test::Row &row)
{
	constexpr double infinity = std::numeric_limits<double>::infinity();
	bmd::Rule rule;
	rule.low = limit(row.cells[1], -infinity);
	rule.high = limit(row.cells[2], infinity);
	rule.hysteresis = std::stod(row.cells[3]);
	rule.delay = std::stoll(row.cells[4]) * bmd::second_us;
	bmd::Watch watch;
	std::istringstream readings(row.cells[5]);
	std::string changes;
	for(std::string reading; readings >> reading;) {
		const std::size_t colon = reading.find(':');
		const bmd::TimeUs time = (1000 + std::stoll(reading.substr(0, colon))) * bmd::second_us;
		const std::string change =
				describe(bmd::step(watch, rule, std::stod(reading.substr(colon + 1)), time));
		if(!change.empty())
			changes += (changes.empty() ? "" : " ") + reading.substr(0, colon + 1) + change;
	}
	return changes.empty() ? "-" : changes;
}

void every_row_of_the_table_gives_its_changes()
{
	for(const bmd_test::Row &row : bmd_test::read_tsv("threshold_cases.tsv")) {
		if(row.cells.size() != 7) {
			BMD_EQUAL(row.cells.size(), 7U);
			continue;
		}
		BMD_EQUAL(row.cells[0] + ": " + play(row), row.cells[0] + ": " + row.cells[6]);
	}
}

void a_raised_step_carries_the_onset_of_the_breach()
{
	bmd::Rule rule;
	rule.low = 90;
	rule.delay = 10 * bmd::second_us;
	bmd::Watch watch;
	CU_ASSERT(bmd::step(watch, rule, 80, 100 * bmd::second_us).change == Change::none);
	const bmd::Step step = bmd::step(watch, rule, 80, 111 * bmd::second_us);
	CU_ASSERT(step.change == Change::raise);
	BMD_EQUAL(step.onset, 100 * bmd::second_us);
}

void nan_and_infinity_are_invalid_and_not_normal()
{
	const bmd::Rule rule{.low = 90, .high = 100};
	CU_ASSERT(bmd::classify(std::nan(""), rule) == Breach::invalid);
	CU_ASSERT(bmd::classify(std::numeric_limits<double>::infinity(), rule) == Breach::invalid);
}

void validity_raises_after_its_delay_and_clears_with_the_first_valid_value()
{
	bmd::Watch watch;
	const bmd::DurationUs delay = 2 * bmd::second_us;
	CU_ASSERT(bmd::step_validity(watch, delay, false, 10 * bmd::second_us).change == Change::none);
	CU_ASSERT(bmd::step_validity(watch, delay, false, 12 * bmd::second_us).change == Change::raise);
	CU_ASSERT(bmd::step_validity(watch, delay, false, 13 * bmd::second_us).change == Change::none);
	CU_ASSERT(bmd::step_validity(watch, delay, true, 14 * bmd::second_us).change == Change::clear);
}

void a_value_past_the_second_limit_comes_back_by_the_hysteresis()
{
	const bmd::Rule rule{.low = 90, .high = 120, .low_low = 80, .high_high = 150, .hysteresis = 2};
	CU_ASSERT(!bmd::past_second_limit(80, rule, Breach::low, false));
	CU_ASSERT(bmd::past_second_limit(79.9, rule, Breach::low, false));
	CU_ASSERT(bmd::past_second_limit(81.9, rule, Breach::low, true));
	CU_ASSERT(!bmd::past_second_limit(82, rule, Breach::low, true));
	CU_ASSERT(!bmd::past_second_limit(150, rule, Breach::high, false));
	CU_ASSERT(bmd::past_second_limit(150.1, rule, Breach::high, false));
	CU_ASSERT(bmd::past_second_limit(148.1, rule, Breach::high, true));
	CU_ASSERT(!bmd::past_second_limit(148, rule, Breach::high, true));
	CU_ASSERT(bmd::past_second_limit(std::nan(""), rule, Breach::low, true));
	CU_ASSERT(!bmd::past_second_limit(10, bmd::Rule{.low = 90, .high = 120}, Breach::low, false));
}

void a_priority_rises_by_steps_up_to_high()
{
	using bmd::Priority;
	CU_ASSERT(bmd::risen(Priority::low, 0) == Priority::low);
	CU_ASSERT(bmd::risen(Priority::low, 1) == Priority::medium);
	CU_ASSERT(bmd::risen(Priority::low, 2) == Priority::high);
	CU_ASSERT(bmd::risen(Priority::medium, 200) == Priority::high);
}

CU_TestInfo cases[] = {BMD_CASE(every_row_of_the_table_gives_its_changes),
		BMD_CASE(a_raised_step_carries_the_onset_of_the_breach),
		BMD_CASE(nan_and_infinity_are_invalid_and_not_normal),
		BMD_CASE(validity_raises_after_its_delay_and_clears_with_the_first_valid_value),
		BMD_CASE(a_value_past_the_second_limit_comes_back_by_the_hysteresis),
		BMD_CASE(a_priority_rises_by_steps_up_to_high), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo threshold_suite;
const CU_SuiteInfo threshold_suite = BMD_SUITE("threshold", cases);
