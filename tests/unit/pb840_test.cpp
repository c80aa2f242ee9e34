/// @file pb840_test.cpp  Unit tests for drivers/pb840.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "drivers/pb840.hpp"

#include <cstdio>

#include "driver_sink.hpp"
#include "suites.hpp"

namespace {

using bmd::test::data_file;
using bmd::test::KeepingSink;
using bmd::test::noise;
using bmd::test::push_split;
using Bytes = std::vector<std::uint8_t>;
using Words = std::vector<std::string>;

struct Run
{
	KeepingSink sink;
	bmd::DriverStats stats;
};

Run decode(const Bytes &bytes)
{
	Run run;
	bmd::Pb840Driver driver({});
	driver.push(bytes, 0, run.sink);
	driver.reset(run.sink);
	run.stats = driver.stats();
	return run;
}

Bytes reply()
{
	return data_file("pb840/sndf-00.bin");
}

/// Offset of a field's text in the reply.
std::size_t offset(int number)
{
	std::size_t at = bmd::pb840::head.size();
	for(const auto &field : bmd::pb840::fields) {
		if(field.number == number)
			return at;
		at += field.width + 1U;
	}
	return 0;
}

Bytes with(int number, std::string text)
{
	Bytes bytes = reply();
	for(const auto &field : bmd::pb840::fields)
		if(field.number == number)
			text.resize(field.width, ' ');
	std::copy(
			text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset(number)));
	return bytes;
}

void table_names_are_in_the_catalogue()
{
	int number = 5;
	for(const auto &field : bmd::pb840::fields) {
		CU_ASSERT(field.number == number++);
		if(field.use == bmd::pb840::Use::text)
			continue;
		const bool number_field = field.use == bmd::pb840::Use::number;
		CU_ASSERT(number_field ? bmd::find_metric(field.name) != nullptr
							   : bmd::find_alarm(field.name) != nullptr);
	}
}

void real_replies_are_read()
{
	int files = 0;
	for(int i = 0; i < 33; i++) {
		char name[32];
		std::snprintf(name, sizeof name, "pb840/sndf-%02d.bin", i);
		const auto bytes = data_file(name);
		if(bytes.empty())
			continue;
		files++;
		const auto run = decode(bytes);
		CU_ASSERT(run.stats.frames == 1 && run.stats.damaged == 0 && run.stats.skipped == 0);
		CU_ASSERT(run.sink.words("LowO2Supply") == Words({"on low"}));
		CU_ASSERT(run.sink.words("ProcedureError") == Words({"off"}));
		CU_ASSERT(run.sink.words("MVe") == Words({"11.8"}));
		CU_ASSERT(run.sink.words("SetVT") == Words({"1.52"}));
		CU_ASSERT(run.sink.words("FiO2").empty() && run.sink.words("LimitVTeMandLow").empty());
	}
	CU_ASSERT(files == 20);
}

void alarm_words_have_their_urgency()
{
	const std::pair<const char *, Words> expected[] = {{"NORMAL", {"off"}}, {"RESET", {"off"}},
			{"ALARM", {"on high"}}, {"LOW", {"on low"}}, {"MEDIUM", {"on medium"}},
			{"HIGH", {"on high"}}, {"", {}}};
	for(const auto &[word, result] : expected)
		CU_ASSERT(decode(with(110, word)).sink.words("HighPpeak") == result);
	CU_ASSERT(decode(with(105, "ON")).sink.words("AlarmSilence") == Words({"on low"}));
}

void unknown_words_and_numbers_refuse_the_reply()
{
	const std::pair<int, const char *> wrong[] = {{110, "NORMAI"}, {110, "OFF"}, {110, "normal"},
			{105, "MAYBE"}, {95, "ALARM"}, {71, "1.3l4"}, {71, "1,314"}, {71, "nan"}, {71, "inf"},
			{71, "0x10"}, {71, "1 2"}, {71, "1e"}};
	for(const auto &[number, text] : wrong) {
		const auto run = decode(with(number, text));
		CU_ASSERT(run.sink.frames.empty());
		CU_ASSERT(run.stats.damaged == 1 && run.sink.reasons.size() == 1);
		CU_ASSERT(run.sink.reasons[0].find(std::to_string(number)) != std::string::npos);
	}
}

void off_blank_and_dashes_are_no_value()
{
	for(const char *text : {"OFF", "", "------", "----"}) {
		const auto run = decode(with(71, text));
		CU_ASSERT(run.stats.frames == 1 && run.sink.words("VTe").empty());
	}
}

void absurd_number_is_invalid_and_counted()
{
	const auto run = decode(with(71, "131.0"));
	CU_ASSERT(run.sink.words("VTe") == Words({"?"}));
	CU_ASSERT(run.stats.implausible == 1);
}

void alert_field_ends_when_blank_twice()
{
	Bytes bytes = with(95, "ALERT");
	for(int i = 0; i < 4; i++) {
		const auto blank = reply();
		bytes.insert(bytes.end(), blank.begin(), blank.end());
	}
	CU_ASSERT(decode(bytes).sink.words("HighTiSpont") == Words({"on low", "off"}));
	CU_ASSERT(decode(reply()).sink.words("HighTiSpont").empty());
}

void lost_byte_is_noticed_everywhere()
{
	const Bytes good = reply();
	for(std::size_t at = 0; at < good.size(); at++) {
		Bytes bytes = good;
		bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
		bytes.insert(bytes.end(), good.begin(), good.end());
		const auto run = decode(bytes);
		CU_ASSERT(run.stats.frames == 1);
		CU_ASSERT(run.stats.damaged + run.stats.resyncs > 0);
	}
}

void comma_in_the_wrong_place_refuses_the_reply()
{
	Bytes bytes = reply();
	bytes[offset(9) - 1] = ' '; // the comma after field 8, a text
	CU_ASSERT(decode(bytes).stats.damaged == 1 && decode(bytes).sink.frames.empty());
	bytes = reply();
	bytes[offset(8) + 3] = ',';
	CU_ASSERT(decode(bytes).stats.damaged == 1 && decode(bytes).sink.frames.empty());
}

void added_byte_is_noticed_everywhere()
{
	const Bytes good = reply();
	for(std::size_t at = 1; at < good.size() - 1; at++) {
		Bytes bytes = good;
		bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), ' ');
		bytes.insert(bytes.end(), good.begin(), good.end());
		CU_ASSERT(decode(bytes).stats.frames == 1);
	}
}

void other_layouts_are_refused()
{
	for(const char *head : {"MISCF,1224,169 ,", "MISCF,1225,170 ,", "MISCA,1225,169 ,"}) {
		Bytes bytes = reply();
		std::copy(head, head + 16, bytes.begin());
		CU_ASSERT(decode(bytes).sink.frames.empty());
	}
}

void cut_reply_is_counted()
{
	Bytes bytes = reply();
	bytes.resize(600);
	const auto run = decode(bytes);
	CU_ASSERT(run.sink.frames.empty() && run.stats.damaged == 1);
}

void any_split_gives_the_same()
{
	Bytes bytes = noise(50, 1);
	for(int i = 0; i < 3; i++) {
		const auto next = with(70, std::to_string(10 + i));
		bytes.insert(bytes.end(), next.begin(), next.end());
	}
	const auto whole = decode(bytes).sink.all();
	CU_ASSERT(decode(bytes).sink.words("RespRate") == Words({"10", "11", "12"}));
	for(unsigned seed = 0; seed < 10; seed++) {
		bmd::Pb840Driver driver({});
		KeepingSink sink;
		push_split(driver, bytes, seed == 0 ? 1 : 700, seed, sink);
		CU_ASSERT(sink.all() == whole);
	}
}

void noise_gives_nothing()
{
	const auto run = decode(noise(1'000'000, 11));
	CU_ASSERT(run.sink.frames.empty());
	CU_ASSERT(run.stats.skipped == 1'000'000);
}

void polls_in_its_interval_and_again_without_reply()
{
	bmd::Pb840Driver driver({.poll_interval = 2 * bmd::second_us});
	KeepingSink sink;
	CU_ASSERT(driver.poll(1'000'000) == "SNDF\r");
	CU_ASSERT(!driver.poll(1'100'000));
	driver.push(reply(), 0, sink);
	CU_ASSERT(!driver.poll(2'900'000));
	CU_ASSERT(driver.poll(3'000'000).has_value());
	CU_ASSERT(!driver.poll(5'900'000)); // still waits for the reply
	CU_ASSERT(driver.poll(6'000'000).has_value());
	CU_ASSERT(driver.stats().polls == 3 && driver.stats().unanswered == 1);
}

CU_TestInfo cases[] = {BMD_CASE(table_names_are_in_the_catalogue), BMD_CASE(real_replies_are_read),
		BMD_CASE(alarm_words_have_their_urgency),
		BMD_CASE(unknown_words_and_numbers_refuse_the_reply),
		BMD_CASE(off_blank_and_dashes_are_no_value), BMD_CASE(absurd_number_is_invalid_and_counted),
		BMD_CASE(alert_field_ends_when_blank_twice), BMD_CASE(lost_byte_is_noticed_everywhere),
		BMD_CASE(comma_in_the_wrong_place_refuses_the_reply),
		BMD_CASE(added_byte_is_noticed_everywhere), BMD_CASE(other_layouts_are_refused),
		BMD_CASE(cut_reply_is_counted), BMD_CASE(any_split_gives_the_same),
		BMD_CASE(noise_gives_nothing), BMD_CASE(polls_in_its_interval_and_again_without_reply),
		CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo pb840_suite;
const CU_SuiteInfo pb840_suite = BMD_SUITE("pb840", cases);
