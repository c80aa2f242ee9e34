/// @file outbox_test.cpp  Unit tests for the collector's outbox.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "outbox.hpp"

#include "suites.hpp"

namespace {

constexpr bmd::TimeUs now = 1'763'690'000'000'000;

bmd::Reading value(double number)
{
	return {bmd::find_metric("SpO2")->id, bmd::ReadingKind::value, bmd::Priority::high, number};
}

bmd::Reading alarm(bmd::ReadingKind kind)
{
	return {bmd::find_alarm("LowO2Supply")->id, kind, bmd::Priority::low, 0};
}

void outbox_marks_what_carries_alarm_information()
{
	using bmd::ReadingKind;
	bmd::Outbox outbox;
	const auto marked = [&](const bmd::Reading &reading) {
		outbox.add("OX-1", now, {&reading, 1});
		return outbox.take().has_alarm;
	};
	CU_ASSERT(!marked(value(97)));
	CU_ASSERT(marked(alarm(ReadingKind::alarm_off))); // the first word of it
	CU_ASSERT(!marked(alarm(ReadingKind::alarm_off)));
	CU_ASSERT(marked(alarm(ReadingKind::alarm_on)));
	CU_ASSERT(marked(alarm(ReadingKind::alarm_on)));
	CU_ASSERT(marked(alarm(ReadingKind::alarm_off)));
	CU_ASSERT(!marked(alarm(ReadingKind::alarm_off)));
	CU_ASSERT(marked({bmd::find_metric("SpO2")->id, ReadingKind::invalid, bmd::Priority::high, 0}));
}

void outbox_gives_whole_lines_of_bounded_size()
{
	bmd::Outbox outbox;
	int woken = 0;
	outbox.on_waiting([&] { woken++; });
	const auto reading = value(97.5);
	for(int i = 0; i < 40'000; i++)
		outbox.add("OX-1", now + i, {&reading, 1});
	CU_ASSERT(woken == 40'000);
	std::size_t lines = 0;
	for(auto taken = outbox.take(); !taken.text.empty(); taken = outbox.take()) {
		CU_ASSERT(taken.text.size() <= bmd::Outbox::max_batch && taken.text.back() == '\n');
		for(const char c : taken.text)
			lines += c == '\n' ? 1 : 0;
	}
	BMD_EQUAL(lines, 40'000U);
	CU_ASSERT(lines == 40'000 && outbox.waiting() == 0 && outbox.lost() == 0);
}

CU_TestInfo cases[] = {BMD_CASE(outbox_marks_what_carries_alarm_information),
		BMD_CASE(outbox_gives_whole_lines_of_bounded_size), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo outbox_suite;
const CU_SuiteInfo outbox_suite = BMD_SUITE("outbox", cases);
