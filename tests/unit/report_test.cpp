/// @file report_test.cpp  Unit tests for bmd/report.hpp; the cases stand in report_cases.tsv.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/report.hpp"

#include <random>

#include "suites.hpp"
#include "tsv.hpp"

namespace {

// Puts what the reader says into the words of the table.
class Transcript : public bmd::ReportSink
{
public:
	void line(std::size_t, std::string_view serial, bmd::TimeUs time) override
	{
		add("L " + std::string(serial) + " " + std::to_string(time));
	}
	void item(const bmd::Reading &reading) override
	{
		const std::string name(bmd::metric_name(reading.metric));
		std::ostringstream value;
		value << reading.value;
		switch(reading.kind) {
			case bmd::ReadingKind::value:
				return add("V " + name + " " + value.str());
			case bmd::ReadingKind::invalid:
				return add("I " + name);
			case bmd::ReadingKind::alarm_on:
				return add("A " + name + " " + std::string(bmd::to_string(reading.priority)));
			case bmd::ReadingKind::alarm_off:
				return add("O " + name);
		}
	}
	void refused(std::size_t, std::string_view, std::string_view reason) override
	{
		add("R " + std::string(reason));
	}
	std::string text;
	std::size_t count = 0;

private:
	void add(const std::string &what)
	{
		text += (text.empty() ? "" : " | ") + what;
		++count;
	}
};

std::string unescape(std::string text)
{
	for(std::size_t at = 0; (at = text.find("\\n", at)) != std::string::npos; ++at)
		text.replace(at, 2, "\n");
	return text;
}

void every_row_of_the_table_reads_as_it_says()
{
	for(const bmd_test::Row &row : bmd_test::read_tsv("report_cases.tsv")) {
		Transcript transcript;
		bmd::read_report(unescape(row.cells.at(0)), transcript);
		BMD_EQUAL(
				row.cells.at(0) + ": " + transcript.text, row.cells.at(0) + ": " + row.cells.at(1));
	}
}

void what_the_writer_writes_the_reader_reads()
{
	using bmd::ReadingKind;
	bmd::ReportWriter writer;
	writer.begin("OX-1", 1763690000000001);
	writer.add({1, ReadingKind::value, bmd::Priority::high, 97.1});
	writer.add({2, ReadingKind::invalid, bmd::Priority::high, 0});
	writer.begin("V-1", 0);
	writer.add({1010, ReadingKind::alarm_on, bmd::Priority::low, 0});
	writer.add({1010, ReadingKind::alarm_off, bmd::Priority::low, 0});
	Transcript transcript;
	bmd::read_report(writer.text(), transcript);
	BMD_EQUAL(transcript.text, std::string("L OX-1 1763690000000001 | V SpO2 97.1 | I PulseRate | "
										   "L V-1 0 | A LowO2Supply low | O LowO2Supply"));
}

void random_bytes_never_crash_the_reader()
{
	std::mt19937 random(4475);
	for(int round = 0; round < 2000; ++round) {
		std::string text = "OX-1 1763690000000000 SpO2=97 PulseRate=72 !LowO2Supply=on\n";
		for(int change = 0; change < 6; ++change)
			text[random() % text.size()] = static_cast<char>(random() & 0xff);
		Transcript transcript;
		bmd::read_report(text, transcript);
		CU_ASSERT(transcript.count >= 1);
	}
}

CU_TestInfo cases[] = {BMD_CASE(every_row_of_the_table_reads_as_it_says),
		BMD_CASE(what_the_writer_writes_the_reader_reads),
		BMD_CASE(random_bytes_never_crash_the_reader), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo report_suite;
const CU_SuiteInfo report_suite = BMD_SUITE("report", cases);
