/// @file nonin_test.cpp  Unit tests for drivers/nonin.hpp.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "drivers/nonin.hpp"

#include <algorithm>

#include "driver_sink.hpp"
#include "suites.hpp"

namespace {

using bmd::test::data_file;
using bmd::test::KeepingSink;
using bmd::test::noise;
using bmd::test::push_split;
using Bytes = std::vector<std::uint8_t>;
using Words = std::vector<std::string>;

constexpr std::size_t frame = bmd::NoninDriver::frame_size;
constexpr std::size_t packet = frame * bmd::NoninDriver::packet_frames;

/// `runs` written out: {3, "97"} is 97 three times.
Words runs(std::initializer_list<std::pair<int, const char *>> list)
{
	Words out;
	for(const auto &[count, text] : list)
		out.insert(out.end(), static_cast<std::size_t>(count), text);
	return out;
}

struct Run
{
	KeepingSink sink;
	bmd::DriverStats stats;
};

Run decode(const Bytes &bytes, bmd::DriverOptions options = {})
{
	Run run;
	bmd::NoninDriver driver(options);
	driver.push(bytes, 0, run.sink);
	run.stats = driver.stats();
	return run;
}

Bytes two_packets()
{
	Bytes bytes = data_file("nonin/df2-desaturation.bin");
	bytes.resize(2 * packet);
	return bytes;
}

void checksum(Bytes &bytes, std::size_t at)
{
	bytes[at + 4] =
			static_cast<std::uint8_t>(bytes[at] + bytes[at + 1] + bytes[at + 2] + bytes[at + 3]);
}

void recording_gives_exactly_its_readings()
{
	const auto run = decode(data_file("nonin/df2-desaturation.bin"));
	CU_ASSERT(run.sink.words("PulseRate")
			  == runs({{3, "72"}, {3, "74"}, {6, "131"}, {6, "133"}, {3, "?"}, {6, "80"}}));
	CU_ASSERT(run.sink.words("SpO2")
			  == runs({{3, "97"}, {3, "93"}, {6, "86"}, {6, "84"}, {3, "?"}, {6, "96"}}));
	CU_ASSERT(run.sink.words("SensorDisconnected") == Words({"off", "on medium", "off"}));
	CU_ASSERT(run.stats.frames == 675 && run.stats.damaged == 0 && run.stats.skipped == 0);
}

void extended_gives_the_other_averages_too()
{
	const auto run = decode(data_file("nonin/df2-desaturation.bin"), {.extended = true});
	for(const char *name : {"SpO2Ext", "SpO2D", "SpO2Fast", "SpO2Beat", "SpO2ExtD"})
		CU_ASSERT(run.sink.words(name) == run.sink.words("SpO2"));
	for(const char *name : {"PulseRateExt", "PulseRateD", "PulseRateExtD"})
		CU_ASSERT(run.sink.words(name) == run.sink.words("PulseRate"));
}

void damaged_frame_is_counted_and_skipped()
{
	const auto run = decode(data_file("nonin/df2-bad-checksum.bin"));
	CU_ASSERT(run.stats.damaged == 1 && run.stats.frames == 49 && run.stats.resyncs == 0);
	CU_ASSERT(run.sink.words("SpO2") == Words({"97", "97"}));
	CU_ASSERT(run.sink.reasons.size() == 1);
}

void value_of_a_damaged_frame_is_not_reported()
{
	for(std::size_t slot = 0; slot < 25; slot++) {
		Bytes bytes = two_packets();
		bytes[slot * frame + 3] ^= 0x10;
		const auto run = decode(bytes);
		// out of step at the very beginning, a bad frame is not yet known to be one
		CU_ASSERT(slot == 0 ? run.stats.skipped == frame : run.stats.damaged == 1);
		const std::size_t rates = slot <= 1 ? 1 : 2;
		const std::size_t saturations = slot == 0 || slot == 2 ? 1 : 2;
		CU_ASSERT(run.sink.words("PulseRate") == Words(rates, "72"));
		CU_ASSERT(run.sink.words("SpO2") == Words(saturations, "97"));
	}
}

void lost_byte_costs_its_packet_only()
{
	for(std::size_t at = 0; at < packet; at++) {
		Bytes bytes = two_packets();
		bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
		const auto run = decode(bytes);
		const auto found = run.sink.words("SpO2");
		CU_ASSERT(found == Words({"97"}));
		CU_ASSERT(run.stats.damaged + run.stats.resyncs + run.stats.skipped > 0);
	}
}

void lost_frame_makes_places_uncertain()
{
	Bytes bytes = two_packets();
	bytes.erase(bytes.begin() + frame, bytes.begin() + 2 * frame); // frame 3 would pass for frame 2
	const auto run = decode(bytes);
	CU_ASSERT(run.sink.words("SpO2") == Words({"97"}));
	CU_ASSERT(run.sink.words("PulseRate") == Words({"72"}));
	CU_ASSERT(run.stats.damaged == 1);
}

void beginning_in_the_middle_waits_for_a_packet()
{
	Bytes bytes = data_file("nonin/df2-desaturation.bin");
	bytes.erase(bytes.begin(), bytes.begin() + 33);
	const auto run = decode(bytes);
	CU_ASSERT(run.sink.words("SpO2").size() == 26);
	CU_ASSERT(run.stats.damaged == 0);
}

void disconnected_sensor_never_gives_a_value()
{
	Bytes bytes = two_packets();
	for(std::size_t at = packet; at < 2 * packet; at += frame) { // the bit alone, old values kept
		bytes[at + 1] |= 0x40;
		checksum(bytes, at);
	}
	const auto run = decode(bytes);
	CU_ASSERT(run.sink.words("SpO2") == Words({"97", "?"}));
	CU_ASSERT(run.sink.words("PulseRate") == Words({"72", "?"}));
	CU_ASSERT(run.sink.words("SensorDisconnected") == Words({"off", "on medium"}));
}

void absurd_value_is_invalid_and_counted()
{
	Bytes bytes = two_packets();
	bytes[2 * frame + 3] = 120; // % of saturation
	checksum(bytes, 2 * frame);
	const auto run = decode(bytes);
	CU_ASSERT(run.sink.words("SpO2") == Words({"?", "97"}));
	CU_ASSERT(run.stats.implausible == 1);
}

void any_split_gives_the_same()
{
	const auto bytes = data_file("nonin/df2-desaturation.bin");
	const auto whole = decode(bytes).sink.all();
	for(unsigned seed = 0; seed < 20; seed++) {
		bmd::NoninDriver driver({});
		KeepingSink sink;
		push_split(driver, bytes, seed == 0 ? 1 : 40, seed, sink);
		CU_ASSERT(sink.all() == whole);
	}
}

void noise_gives_nothing_absurd()
{
	const auto run = decode(noise(1'000'000, 7));
	CU_ASSERT(run.sink.plausible());
	CU_ASSERT(run.sink.frames.empty());
	CU_ASSERT(run.stats.bytes == 1'000'000);
}

void frames_after_noise_are_found()
{
	Bytes bytes = noise(997, 3);
	const auto good = two_packets();
	bytes.insert(bytes.end(), good.begin(), good.end());
	bytes.insert(bytes.end(), good.begin(), good.end());
	CU_ASSERT(decode(bytes).sink.words("SpO2").size() >= 3);
}

void pause_inside_a_packet_forgets_its_beginning()
{
	const Bytes bytes = two_packets();
	bmd::NoninDriver driver({});
	KeepingSink sink;
	const std::span<const std::uint8_t> all(bytes);
	driver.push(all.first(60), 1'000'000'000, sink);
	driver.quiet(sink);
	driver.push(all.subspan(60, 65), 1'005'000'000, sink); // the other half of some packet
	driver.push(all.subspan(125), 1'005'300'000, sink);
	CU_ASSERT(sink.frames.size() == 1);
	CU_ASSERT(sink.times == std::vector<bmd::TimeUs>({1'005'300'000}));
}

void clock_that_is_set_costs_nothing()
{
	const Bytes bytes = two_packets();
	bmd::NoninDriver driver({});
	KeepingSink sink;
	const std::span<const std::uint8_t> all(bytes);
	driver.push(all.first(60), 1'000'000'000, sink);
	driver.push(all.subspan(60, 130), 1'600'000'000, sink);
	driver.push(all.subspan(190), 100'000'000, sink);
	CU_ASSERT(sink.frames.size() == 2 && driver.stats().damaged == 0);
}

void alarm_states_are_repeated_at_once_when_the_clock_is_set_back()
{
	const Bytes bytes = two_packets();
	bmd::NoninDriver driver({});
	KeepingSink sink;
	for(const bmd::TimeUs time : {1'000'000'000, 1'000'500'000, 400'000'000, 400'500'000})
		driver.push(std::span(bytes).first(packet), time, sink);
	CU_ASSERT(sink.words("SensorDisconnected") == Words({"off", "off"}));
}

void alarm_states_are_repeated_every_minute()
{
	const Bytes bytes = two_packets();
	bmd::NoninDriver driver({});
	KeepingSink sink;
	bmd::TimeUs time = 1'000'000'000;
	for(int i = 0; i < 2 * 61; i++, time += 500'000) // a packet each half second
		driver.push(std::span(bytes).first(packet), time, sink);
	CU_ASSERT(sink.words("SensorDisconnected") == Words({"off", "off"}));
}

CU_TestInfo cases[] = {BMD_CASE(recording_gives_exactly_its_readings),
		BMD_CASE(extended_gives_the_other_averages_too),
		BMD_CASE(damaged_frame_is_counted_and_skipped),
		BMD_CASE(value_of_a_damaged_frame_is_not_reported),
		BMD_CASE(lost_byte_costs_its_packet_only), BMD_CASE(lost_frame_makes_places_uncertain),
		BMD_CASE(beginning_in_the_middle_waits_for_a_packet),
		BMD_CASE(disconnected_sensor_never_gives_a_value),
		BMD_CASE(absurd_value_is_invalid_and_counted), BMD_CASE(any_split_gives_the_same),
		BMD_CASE(noise_gives_nothing_absurd), BMD_CASE(frames_after_noise_are_found),
		BMD_CASE(pause_inside_a_packet_forgets_its_beginning),
		BMD_CASE(clock_that_is_set_costs_nothing),
		BMD_CASE(alarm_states_are_repeated_at_once_when_the_clock_is_set_back),
		BMD_CASE(alarm_states_are_repeated_every_minute), CU_TEST_INFO_NULL};

} // namespace

extern const CU_SuiteInfo nonin_suite;
const CU_SuiteInfo nonin_suite = BMD_SUITE("nonin", cases);
