/// @file sim_test.cpp  Unit tests for bmd-sim: its bytes are what the drivers read.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <unistd.h>

#include "device.hpp"
#include "driver_sink.hpp"
#include "scenario.hpp"
#include "suites.hpp"

namespace {

using bmd::test::KeepingSink;
using Words = std::vector<std::string>;

KeepingSink decode(const std::string &driver, const std::string &bytes)
{
	KeepingSink sink;
	auto made = bmd::make_driver(driver, {});
	(*made)->push({reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size()}, 0, sink);
	return sink;
}

bmd::Scenario load(const std::string &text, std::vector<std::string> &mistakes)
{
	std::string path = "/tmp/bmd-scenario-XXXXXX";
	::close(mkstemp(path.data()));
	std::ofstream(path) << text;
	auto scenario = bmd::Scenario::load(path, mistakes);
	::unlink(path.c_str());
	return scenario;
}

void nonin_packet_is_what_the_driver_reads()
{
	bmd::Moment moment;
	moment.values = {{"SpO2", 84}, {"PulseRate", 133}};
	std::string bytes = bmd::nonin_packet(moment);
	CU_ASSERT(bytes.size() == 125);
	moment.unplugged = true;
	bytes += bmd::nonin_packet(moment);
	const auto sink = decode("nonin", bytes);
	CU_ASSERT(sink.words("SpO2") == Words({"84", "?"}));
	CU_ASSERT(sink.words("PulseRate") == Words({"133", "?"}));
	CU_ASSERT(sink.words("SensorDisconnected") == Words({"off", "on medium"}));
}

void simulated_packet_equals_the_recorded_one()
{
	bmd::Moment moment;
	moment.values = {{"SpO2", 97}, {"PulseRate", 72}};
	const auto recorded = bmd::test::data_file("nonin/df2-desaturation.bin");
	std::string made = bmd::nonin_packet(moment);
	for(std::size_t i = 0; i < made.size(); i += 5) { // the recording gives no perfusion colour
		made[i + 1] = static_cast<char>(made[i + 1] & ~0x02);
		made[i + 4] = static_cast<char>(made[i + 4] - 2);
	}
	CU_ASSERT(std::equal(made.begin(), made.end(), recorded.begin(),
			[](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
}

void pb840_reply_is_what_the_driver_reads()
{
	bmd::Moment moment;
	moment.values = {{"VTe", 0.512}, {"Ppeak", 24.5}, {"LimitVTeMandHigh", 1900}, {"NIF", -12.5}};
	moment.words = {{"FiO2", ""}, {"LimitMVeLow", "OFF"}};
	moment.alarms = {{"LowO2Supply", "HIGH"}, {"Apnea", "ALARM"}, {"AlarmSilence", "ON"}};
	const auto reply = bmd::pb840_reply(moment, "12:34");
	CU_ASSERT(reply.size() == 1244);
	const auto sink = decode("pb840", reply);
	CU_ASSERT(sink.reasons.empty() && sink.frames.size() == 1);
	CU_ASSERT(sink.words("VTe") == Words({"0.512"}) && sink.words("Ppeak") == Words({"24.5"}));
	CU_ASSERT(sink.words("LimitVTeMandHigh") == Words({"1900"}));
	CU_ASSERT(sink.words("NIF") == Words({"-12.5"}));
	CU_ASSERT(sink.words("FiO2").empty() && sink.words("LimitMVeLow").empty());
	CU_ASSERT(sink.words("LowO2Supply") == Words({"on high"}));
	CU_ASSERT(sink.words("Apnea") == Words({"on high"}));
	CU_ASSERT(sink.words("AlarmSilence") == Words({"on low"}));
}

void bad_line_never_makes_another_value()
{
	bmd::Moment moment;
	moment.values = {{"SpO2", 97}, {"PulseRate", 72}};
	moment.noise = 0.003; // of one byte in a frame: always seen by the checksum
	moment.lost = 0.002;
	std::mt19937 random(4);
	std::string bytes;
	for(int i = 0; i < 3000; i++)
		bytes += bmd::damage(bmd::nonin_packet(moment), moment, random);
	const auto sink = decode("nonin", bytes);
	const auto words = sink.words("SpO2");
	CU_ASSERT(words.size() > 1000 && words.size() < 3000);
	CU_ASSERT(words == Words(words.size(), "97"));
}

void steps_carry_values_and_drop_faults()
{
	std::vector<std::string> mistakes;
	const auto s =
			load("driver = \"nonin\"\n[[step]]\nfor = 2\nvalues = { SpO2 = 97 }\nnoise = 0.5\n"
				 "[[step]]\nfor = 4\nramp = true\nvalues = { SpO2 = 87 }\n"
				 "[[step]]\nat = 10\nflap = { SpO2 = [88, 92] }\nflap_seconds = 0.5\n",
					mistakes);
	CU_ASSERT(mistakes.empty() && s.steps().size() == 3);
	CU_ASSERT(s.at(1).values.at("SpO2") == 97 && s.at(1).noise == 0.5);
	CU_ASSERT(std::abs(s.at(4).values.at("SpO2") - 94.5) < 3 && s.at(4).noise == 0);
	CU_ASSERT(s.at(9.9).values.at("SpO2") < 88);
	CU_ASSERT(s.at(10.1).values.at("SpO2") == 88 && s.at(10.6).values.at("SpO2") == 92);
	CU_ASSERT(s.length() == 0); // the last step has no end
}

void mistakes_in_a_scenario_are_named()
{
	for(const char *text : {"driver = \"x\"\n[[step]]\nfor = 1\n", "driver = \"nonin\"\n",
				"driver = \"nonin\"\nfoo = 1\n[[step]]\nfor = 1\n",
				"driver = \"nonin\"\n[[step]]\nfor = -1\n",
				"driver = \"nonin\"\n[[step]]\nfor = 1\nvalues = { VTe = 1 }\n",
				"driver = \"nonin\"\n[[step]]\nfor = 1\nvalues = { SpO2 = true }\n",
				"driver = \"pb840\"\n[[step]]\nfor = 1\nalarms = { LowO2Supply = \"MUCHTOOLONG\" "
				"}\n",
				"driver = \"nonin\"\n[[step]]\nramp = true\n",
				"driver = \"nonin\"\n[[step]]\n[[step]]\nfor = 1\n", "driver = [\n"}) {
		std::vector<std::string> mistakes;
		load(text, mistakes);
		BMD_EQUAL(mistakes.size(), 1U);
	}
}

CU_TestInfo cases[] = {BMD_CASE(nonin_packet_is_what_the_driver_reads),
		BMD_CASE(simulated_packet_equals_the_recorded_one),
		BMD_CASE(pb840_reply_is_what_the_driver_reads),
		BMD_CASE(bad_line_never_makes_another_value), BMD_CASE(steps_carry_values_and_drop_faults),
		BMD_CASE(mistakes_in_a_scenario_are_named), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo sim_suite;
const CU_SuiteInfo sim_suite = BMD_SUITE("sim", cases);
