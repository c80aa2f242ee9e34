/// @file metric_test.cpp  Unit tests for bmd/metric.hpp and bmd/alert.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/metric.hpp"

#include <string>

#include "suites.hpp"

namespace {

void every_metric_is_found_by_name_and_by_id()
{
	for(const auto &m : bmd::metrics()) {
		CU_ASSERT(bmd::find_metric(m.name) == &m);
		CU_ASSERT(bmd::metric_info(m.id) == &m);
		CU_ASSERT(bmd::metric_name(m.id) == m.name);
		CU_ASSERT(m.min < m.max);
		CU_ASSERT(!m.ucum.empty() && !m.text.empty());
		CU_ASSERT(m.mdc.empty() || m.mdc.starts_with("MDC_"));
	}
}

void every_alarm_is_found_by_name_and_by_id()
{
	for(const auto &a : bmd::alarms()) {
		CU_ASSERT(bmd::find_alarm(a.name) == &a);
		CU_ASSERT(bmd::alarm_info(a.id) == &a);
		CU_ASSERT(bmd::metric_name(a.id) == a.name);
		CU_ASSERT(!a.text.empty());
		CU_ASSERT(bmd::find_metric(a.name) == nullptr); // one name, one meaning
	}
}

void ids_that_are_stored_never_change()
{
	CU_ASSERT(bmd::find_metric("SpO2")->id == 1);
	CU_ASSERT(bmd::find_metric("PulseRate")->id == 2);
	CU_ASSERT(bmd::find_metric("RespRate")->id == 6);
	CU_ASSERT(bmd::find_metric("VTe")->id == 12);
	CU_ASSERT(bmd::find_metric("PiEnd")->id == 50);
	CU_ASSERT(bmd::find_metric("SetRespRate")->id == 101);
	CU_ASSERT(bmd::find_metric("LimitVTiHigh")->id == 170);
	CU_ASSERT(bmd::find_alarm("SensorDisconnected")->id == 1001);
	CU_ASSERT(bmd::find_alarm("LowO2Supply")->id == 1010);
	CU_ASSERT(bmd::find_alarm("TechMalfunctionA85")->id == 1077);
}

void unknown_names_and_ids_are_null()
{
	for(const char *name : {"", "spo2", "SpO2 ", "SpO", "SpO22", "?", "LowO2Supplys"}) {
		CU_ASSERT(bmd::find_metric(name) == nullptr);
		CU_ASSERT(bmd::find_alarm(name) == nullptr);
	}
	CU_ASSERT(bmd::find_metric(std::string(100'000, 'S')) == nullptr);
	for(const int id : {0, 21, 999, 1000, 1009, 1999, 2000, 65535}) {
		const auto number = static_cast<bmd::MetricId>(id);
		CU_ASSERT(bmd::metric_info(number) == nullptr);
		CU_ASSERT(bmd::alarm_info(number) == nullptr);
		CU_ASSERT(bmd::metric_name(number) == "?");
	}
	CU_ASSERT(bmd::metric_info(1001) == nullptr);
	CU_ASSERT(bmd::alarm_info(1) == nullptr);
}

void words_of_alerts_read_back()
{
	using namespace bmd;
	for(const auto p : {Priority::low, Priority::medium, Priority::high})
		CU_ASSERT(parse_priority(to_string(p)) == p);
	for(const auto k : {AlertKind::physiological, AlertKind::technical})
		CU_ASSERT(parse_kind(to_string(k)) == k);
	for(const auto c : {Condition::low, Condition::high, Condition::invalid, Condition::stale,
				Condition::device})
		CU_ASSERT(parse_condition(to_string(c)) == c);
	for(const auto s : {AlertState::active, AlertState::latched, AlertState::cleared})
		CU_ASSERT(parse_state(to_string(s)) == s);
	CU_ASSERT(to_string(Priority::medium) == "medium");
	CU_ASSERT(to_string(Condition::device) == "device");
}

void other_words_are_no_alert_words()
{
	CU_ASSERT(!bmd::parse_priority("Low") && !bmd::parse_priority("") && !bmd::parse_kind("low"));
	CU_ASSERT(!bmd::parse_condition("lower") && !bmd::parse_state("?"));
	CU_ASSERT(bmd::to_string(static_cast<bmd::Priority>(0)) == "?");
	CU_ASSERT(bmd::to_string(static_cast<bmd::Condition>(200)) == "?");
}

CU_TestInfo cases[] = {BMD_CASE(every_metric_is_found_by_name_and_by_id),
		BMD_CASE(every_alarm_is_found_by_name_and_by_id),
		BMD_CASE(ids_that_are_stored_never_change), BMD_CASE(unknown_names_and_ids_are_null),
		BMD_CASE(words_of_alerts_read_back), BMD_CASE(other_words_are_no_alert_words),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo metric_suite;
const CU_SuiteInfo metric_suite = BMD_SUITE("metric", cases);
