/// @file report.cpp  Fuzz target: the text that a collector reports readings with.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/report.hpp"

#include <cmath>

#include "bmd/metric.hpp"
#include "fuzz.hpp"

namespace {

using fuzz::require;

class Checker final : public bmd::ReportSink
{
public:
	void line(std::size_t, std::string_view serial, bmd::TimeUs time) override
	{
		require(bmd::valid_serial(serial), "the serial of a line that is taken is one");
		require(time >= 0, "no line has a time before 1970");
		serial_ = serial;
		time_ = time;
		begun_ = false;
		++lines;
	}
	void item(const bmd::Reading &reading) override
	{
		require(lines > 0, "an item belongs to a line");
		if(reading.kind == bmd::ReadingKind::value)
			require(std::isfinite(reading.value), "a value is finite");
		if(!begun_) // a line of which nothing is taken is no line of a report
			writer.begin(serial_, time_);
		begun_ = true;
		writer.add(reading);
		++items;
	}
	void refused(std::size_t, std::string_view, std::string_view reason) override
	{
		fuzz::require_reason(reason);
		++refusals;
	}

	bmd::ReportWriter writer;
	std::size_t lines = 0;
	std::size_t items = 0;
	std::size_t refusals = 0;

private:
	std::string_view serial_;
	bmd::TimeUs time_ = 0;
	bool begun_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	Checker first;
	bmd::read_report(fuzz::text(data, size), first);
	Checker second;
	bmd::read_report(first.writer.text(), second);
	require(second.items == first.items, "every reading that was taken is read back");
	require(second.writer.text() == first.writer.text(), "doubles come back the same");
	return 0;
}
