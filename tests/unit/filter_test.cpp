/// @file filter_test.cpp  Unit tests for bmd/filter.hpp and bmd/dmp_filter.hpp; the cases stand in
/// filter_cases.tsv.  SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp_filter.hpp"

#include <cmath>
#include <list>
#include <sstream>

#include "suites.hpp"
#include "tsv.hpp"

namespace {

using bmd::Filter;
using bmd::FilterRules;
using bmd::FilterSubject;
using bmd::second_us;
using bmd::TimeUs;
using Cells = std::vector<std::string>;

constexpr TimeUs now = 1'795'000'000 * second_us;
constexpr TimeUs hour = 3600 * second_us;

Cells parts(const std::string &text, const std::string &between)
{
	Cells list;
	std::size_t begin = 0;
	for(std::size_t end = 0; end != std::string::npos; begin = end + between.size()) {
		end = text.find(between, begin);
		list.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
	}
	return list;
}

bmd::dmp::Document document(const std::string &device, const std::string &variable,
		const std::string &events, const std::string &duration)
{
	bmd::dmp::Document body;
	body.root = bmd::dmp::Root::action;
	bmd::dmp::Subscribe subscribe;
	subscribe.items.push_back({variable, events == "-" ? Cells{} : parts(events, " | "), duration});
	body.devices.push_back({device, {subscribe}});
	return body;
}

// As it is read back from where it is kept.
Filter kept(const bmd::dmp::Document &body)
{
	const auto read = bmd::dmp::read_filter(body, now);
	if(!read) {
		BMD_EQUAL(read.error().reason, "");
		return {};
	}
	const auto again = bmd::dmp::parse_filter(read->text);
	CU_ASSERT(again.ok());
	return again ? *again : Filter{};
}

// night: medium, or of the ward; deep: below 80.
FilterRules rules()
{
	const auto read =
			bmd::read_filter_rules("night\t\t\t\t\t\tmedium\t\t\t\nnight\t\tward\t\t\t\t\t\t\t\n"
								   "deep\t\t\t\tSpO2\t\t\t\t80\t\n");
	CU_ASSERT(read.ok());
	return read ? *read : FilterRules();
}

class Subject
{
public:
	explicit Subject(const std::string &text)
	{
		std::istringstream words(text);
		std::string serial, type, metric, condition, kind, priority, worst, more;
		words >> serial >> type >> metric >> condition >> kind >> priority >> worst;
		for(char &c : type)
			c = c == '_' ? ' ' : c;
		subject.serial = keep(serial);
		subject.type = keep(type);
		subject.metric = keep(metric);
		subject.condition = bmd::parse_condition(condition).value();
		subject.kind = bmd::parse_kind(kind).value();
		subject.highest = bmd::parse_priority(priority).value();
		subject.worst = worst == "-" ? std::nanf("") : std::stof(worst);
		while(words >> more)
			take(more);
	}
	FilterSubject subject;

private:
	std::string_view keep(const std::string &text) { return texts_.emplace_back(text); }
	void take(const std::string &word)
	{
		if(word == "urgent")
			subject.urgent = true;
		else if(word == "hidden")
			subject.area_shown = false;
		else if(word.starts_with("group:"))
			subject.groups.push_back(keep(word.substr(6)));
		else
			subject.areas.push_back(keep(word.substr(5)));
	}
	std::list<std::string> texts_;
};

std::string reason_of(const Cells &cells)
{
	const auto read = bmd::dmp::read_filter(document(cells[1], cells[2], cells[3], cells[4]), now);
	return read ? "understood" : read.error().reason;
}

void every_row_of_the_table_is_decided_as_it_says()
{
	int decided = 0;
	for(const bmd_test::Row &row : bmd_test::read_tsv("filter_cases.tsv")) {
		const Cells &cells = row.cells;
		const std::string line = "line " + std::to_string(row.line) + ": ";
		if(cells[0] == "fits") {
			const Filter filter = kept(document(cells[1], cells[2], cells[3], "PT1H"));
			const Subject alert(cells[4]);
			const bool fits = filter.fits(rules(), alert.subject, now);
			BMD_EQUAL(line + (fits ? "yes" : "no"), line + cells[5]);
		} else {
			const std::string reason = reason_of(cells);
			const bool said = reason.find(cells[5]) != std::string::npos;
			BMD_EQUAL(line + (said ? cells[5] : reason), line + cells[5]);
		}
		++decided;
	}
	CU_ASSERT(decided > 60);
}

void each_item_ends_at_its_own_time_and_the_others_go_on()
{
	auto body = document("*", "SpO2", "-", "PT1H");
	auto &items = std::get<bmd::dmp::Subscribe>(body.devices[0].entries[0]).items;
	items.push_back({"PulseRate", {}, "PT2H"});
	items.push_back({"RespRate", {}, "always"});
	const Filter filter = kept(body);
	const auto fits = [&](const char *metric, TimeUs at) {
		const Subject alert("OX-1 Oxi " + std::string(metric) + " low physiological low 1");
		return filter.fits({}, alert.subject, at);
	};
	CU_ASSERT(fits("SpO2", now + hour - 1) && !fits("SpO2", now + hour));
	CU_ASSERT(fits("PulseRate", now + hour) && !fits("PulseRate", now + 2 * hour));
	CU_ASSERT(fits("RespRate", now + 1000 * hour));
	CU_ASSERT((filter.ends() == std::vector<TimeUs>{now + hour, now + 2 * hour}));
}

void a_repeated_body_whose_end_has_passed_is_understood_and_over()
{
	const Filter filter = kept(document("*", "*", "-", bmd::format_time(now - hour)));
	const Subject alert("OX-1 Oxi SpO2 low physiological low 88");
	CU_ASSERT(!filter.fits({}, alert.subject, now));
	CU_ASSERT(!filter.takes_all());
}

void what_is_urgent_is_left_out_only_where_the_filter_says_so()
{
	auto body = document("OX-2", "*", "-", "always");
	const Subject alert("OX-1 Oxi SpO2 low physiological high 88 urgent");
	CU_ASSERT(kept(body).fits({}, alert.subject, now));
	body.attributes.urgent_filtered = true;
	CU_ASSERT(!kept(body).fits({}, alert.subject, now));
}

void a_filter_that_leaves_nothing_out_is_none()
{
	CU_ASSERT(kept(document("*", "*", "-", "always")).takes_all());
	CU_ASSERT(kept(document("*", "*", "low | any", "always")).takes_all());
	CU_ASSERT(!kept(document("*", "*", "-", "PT1H")).takes_all());
	CU_ASSERT(!kept(document("*", "*", "low", "always")).takes_all());
	CU_ASSERT(!kept(document("OX-1", "*", "-", "always")).takes_all());
}

void zero_is_the_present_state_where_it_is_asked_for_once()
{
	const auto read = bmd::dmp::read_filter(document("*", "*", "-", "0"), now, 0, true);
	CU_ASSERT(read.ok() && read->filter.items[0].until == 0);
}

void what_is_no_filter_is_refused()
{
	const auto said = [](const char *xml) {
		const auto body = bmd::dmp::parse(xml);
		CU_ASSERT(body.ok());
		const auto read = bmd::dmp::read_filter(*body, now);
		return read ? std::string("understood") : read.error().reason;
	};
	CU_ASSERT(said("<DMPAction><Device>OX-1</Device><Query><Variable>SpO2</Variable></Query></"
				   "DMPAction>")
					  .find("a SUBSCRIBE takes Subscribe only")
			  != std::string::npos);
	BMD_EQUAL(said("<DMPResponse/>"), "the root of a filter is DMPAction");
	CU_ASSERT(!bmd::dmp::parse(
			"<DMPAction xmlns:bmd='urn:bmd:dmp:1' bmd:urgent='no'><Device>*</Device>"
			"<Subscribe><Variable>*</Variable><Duration>always</Duration></Subscribe>"
			"</DMPAction>")
					   .ok());
}

void a_filter_has_a_bound()
{
	auto body = document("*", "*", "low", "always");
	auto &items = std::get<bmd::dmp::Subscribe>(body.devices[0].entries[0]).items;
	items.assign(bmd::dmp::max_filter_items + 1, {"*", {"low"}, "always"});
	const auto many = bmd::dmp::read_filter(body, now);
	CU_ASSERT(!many.ok() && many.error().reason.find("more than 64") != std::string::npos);
	items.assign(60, {"SpO2", {"area = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "always"});
	const auto large = bmd::dmp::read_filter(body, now);
	CU_ASSERT(!large.ok() && large.error().reason.find("at most 4000") != std::string::npos);
}

void rules_are_the_same_after_being_text()
{
	const std::string text = bmd::write_filter_rules(rules());
	const auto again = bmd::read_filter_rules(text);
	CU_ASSERT(again.ok() && bmd::write_filter_rules(*again) == text && again->has("deep"));
	for(const std::string bad : {"x", "\t\t\t\t\t\tlow\t\t\t\n", "x\t\t\t\t\t\turgent\t\t\t\n",
				"x\t\t\t\tSpO2\t\t\t\tten\t\n", "x\t\t\t\t\t\tlow\t\t\t"})
		CU_ASSERT(!bmd::read_filter_rules(bad).ok());
}

CU_TestInfo cases[] = {BMD_CASE(every_row_of_the_table_is_decided_as_it_says),
		BMD_CASE(each_item_ends_at_its_own_time_and_the_others_go_on),
		BMD_CASE(a_repeated_body_whose_end_has_passed_is_understood_and_over),
		BMD_CASE(what_is_urgent_is_left_out_only_where_the_filter_says_so),
		BMD_CASE(a_filter_that_leaves_nothing_out_is_none),
		BMD_CASE(zero_is_the_present_state_where_it_is_asked_for_once),
		BMD_CASE(what_is_no_filter_is_refused), BMD_CASE(a_filter_has_a_bound),
		BMD_CASE(rules_are_the_same_after_being_text), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo filter_suite;
const CU_SuiteInfo filter_suite = BMD_SUITE("filter", cases);
