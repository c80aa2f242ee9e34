/// @file sizes_test.cpp  The formula of modules/bmd/README.md against what create_store() takes.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// The README is read, not copied: whoever changes a record mends the formula.

#include <cmath>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "store.hpp"
#include "suites.hpp"

namespace {

using bmd::Limits;

constexpr double tolerance = 0.05; // of each term

struct Term
{
	const char *name;
	std::size_t Limits::*limit;
	std::size_t unit;
	std::size_t step;
};

constexpr Term terms[] = {{"devices", &Limits::devices, 1, 30'000},
		{"metrics", &Limits::metrics, 1, 30'000}, {"members", &Limits::members, 1, 30'000},
		{"rules", &Limits::rules, 1, 30'000}, {"texts", &Limits::texts, 1, 30'000},
		{"alerts", &Limits::alerts, 1, 30'000}, {"recipients", &Limits::recipients, 1, 30'000},
		{"reached", &Limits::reached, 1, 30'000}, {"feeds", &Limits::feeds, 1, 30'000},
		{"groups", &Limits::groups, 1, 30'000},
		{"subscriptions", &Limits::subscriptions, 1, 30'000}, {"held", &Limits::held, 1, 30'000},
		{"alert_events", &Limits::alert_events, 1, 30'000},
		{"journal_mb", &Limits::journal_bytes, 1U << 20, 16},
		{"notifiers", &Limits::notifiers, 1, 4}, {"duty_kb", &Limits::duty_bytes, 1024, 512}};

std::string readme()
{
	std::ifstream file(bmd_test::data_path("../../modules/bmd/README.md"));
	std::string text{std::istreambuf_iterator<char>(file), {}};
	CU_ASSERT(!text.empty());
	return text;
}

// "NAME x BYTES" of the formula; what is there in any case has the name "".
std::map<std::string, double> formula()
{
	const std::string text = readme();
	const std::size_t begin = text.find("\n    devices x ");
	CU_ASSERT(begin != std::string::npos);
	const std::string block = text.substr(begin, text.find("\n\n", begin + 1) - begin);
	std::map<std::string, double> found;
	const std::regex term("([a-z_]+) x ([0-9]+)|([0-9]+) in any case");
	for(std::sregex_iterator at(block.begin(), block.end(), term), end; at != end; ++at)
		found[(*at)[1]] = std::stod((*at)[1].length() > 0 ? (*at)[2] : (*at)[3]);
	return found;
}

// So large that nothing is allocated; hash tables of so many entries have room for 131,072.
Limits large()
{
	Limits limits;
	for(const Term &term : terms)
		limits.*term.limit = 70'000;
	limits.journal_bytes = std::size_t{512} << 20;
	limits.notifiers = 2;
	limits.duty_bytes = 1U << 20;
	return limits;
}

double needed(const Limits &limits)
{
	std::size_t bytes = 0;
	CU_ASSERT(bmd::create_store(limits, bytes) == nullptr);
	return static_cast<double>(bytes);
}

bool about(double value, double expected)
{
	return std::abs(value - expected) <= tolerance * expected;
}

void each_term_of_the_formula_is_what_one_more_takes()
{
	const auto said = formula();
	const double base = needed(large());
	for(const Term &term : terms) {
		Limits more = large();
		more.*term.limit += term.step * term.unit;
		const double each = (needed(more) - base) / static_cast<double>(term.step);
		const auto found = said.find(term.name);
		const double expected = found == said.end() ? 0 : found->second;
		CU_ASSERT(about(each, expected));
		if(!about(each, expected))
			std::cout << "    " << term.name << " takes " << each << ", README.md says " << expected
					  << "\n";
	}
	BMD_EQUAL(said.size(), std::size(terms) + 1);
}

void the_formula_is_what_all_takes()
{
	const auto said = formula();
	double sum = 0;
	for(const Term &term : terms)
		if(const auto found = said.find(term.name); found != said.end())
			sum += found->second * static_cast<double>(large().*term.limit / term.unit);
	// two heads each of devices, feeds, alerts and subscriptions, one of recipients and of reached
	sum += (4 * 2 + 2) * 4 * 131'072;
	const auto rest = said.find("");
	sum += rest == said.end() ? 0 : rest->second;
	const double all = needed(large());
	CU_ASSERT(std::abs(all - sum) < 0.01 * all);
	if(std::abs(all - sum) >= 0.01 * all)
		std::cout << "    all takes " << all << ", the formula of README.md " << sum << "\n";
}

// "1,016 MB" as a number.
double megabytes(std::string text)
{
	std::erase(text, ',');
	return std::stod(text);
}

void the_examples_are_what_is_taken()
{
	const std::string text = readme();
	std::smatch found;
	const std::regex example(
			"([0-9,]+) MB in all for 1,000,000 devices,\\s+([0-9,]+) MB for 10,000");
	CU_ASSERT(std::regex_search(text, found, example));
	if(found.size() != 3)
		return;
	Limits million;
	million.devices = 1'000'000;
	CU_ASSERT(about(needed(million) / 1e6, megabytes(found[1])));
	std::size_t bytes = 0;
	if(bmd::create_store(Limits(), bytes) != nullptr)
		bmd::release_store();
	CU_ASSERT(about(static_cast<double>(bytes) / 1e6, megabytes(found[2])));
	if(CU_get_number_of_failure_records() > 0)
		std::cout << "    " << needed(million) / 1e6 << " MB and "
				  << static_cast<double>(bytes) / 1e6 << " MB\n";
}

CU_TestInfo cases[] = {BMD_CASE(each_term_of_the_formula_is_what_one_more_takes),
		BMD_CASE(the_formula_is_what_all_takes), BMD_CASE(the_examples_are_what_is_taken),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo sizes_suite;
const CU_SuiteInfo sizes_suite = BMD_SUITE("sizes", cases);
