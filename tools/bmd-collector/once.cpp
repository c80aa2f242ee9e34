/// @file once.cpp  Decode a recording to text, without any server.
/// SPDX-License-Identifier: GPL-2.0-or-later
///
/// Text, tab-separated:  FRAME metric VALUE unit | FRAME metric invalid | FRAME !alarm off
///                       | FRAME !alarm on PRIORITY | - damaged REASON | counts NAME=N...

#include "once.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "drivers/driver.hpp"

namespace bmd {

namespace {

class TextSink final : public DriverSink
{
public:
	void readings(std::span<const Reading> readings, TimeUs /*time*/) override
	{
		frame_++;
		for(const auto &reading : readings)
			print(reading);
	}

	void damaged(std::string_view reason) override
	{
		std::printf("-\tdamaged\t%.*s\n", static_cast<int>(reason.size()), reason.data());
	}

private:
	void print(const Reading &r) const
	{
		const auto name = metric_name(r.metric);
		switch(r.kind) {
			case ReadingKind::value: {
				std::array<char, 40> text{};
				std::to_chars(text.data(), text.data() + text.size() - 1, r.value); // shortest
				std::printf("%llu\t%s\t%s\t%s\n", frame_, name.data(), text.data(),
						metric_info(r.metric)->ucum.data());
				break;
			}
			case ReadingKind::invalid:
				std::printf("%llu\t%s\tinvalid\n", frame_, name.data());
				break;
			case ReadingKind::alarm_on:
				std::printf(
						"%llu\t!%s\ton\t%s\n", frame_, name.data(), to_string(r.priority).data());
				break;
			case ReadingKind::alarm_off:
				std::printf("%llu\t!%s\toff\n", frame_, name.data());
				break;
		}
	}

	unsigned long long frame_ = 0;
};

class JsonSink final : public DriverSink
{
public:
	void readings(std::span<const Reading> readings, TimeUs /*time*/) override
	{
		frame_++;
		for(const auto &r : readings) {
			nlohmann::ordered_json line{{"frame", frame_}};
			const bool alarm = r.kind == ReadingKind::alarm_on || r.kind == ReadingKind::alarm_off;
			line[alarm ? "alarm" : "metric"] = metric_name(r.metric);
			if(r.kind == ReadingKind::value)
				line["value"] = r.value;
			else if(r.kind == ReadingKind::invalid)
				line["invalid"] = true;
			else
				line["state"] = r.kind == ReadingKind::alarm_on ? "on" : "off";
			if(r.kind == ReadingKind::alarm_on)
				line["priority"] = to_string(r.priority);
			if(!alarm)
				line["unit"] = metric_info(r.metric)->ucum;
			std::cout << line.dump() << '\n';
		}
	}

	void damaged(std::string_view reason) override
	{
		std::cout << nlohmann::ordered_json{{"damaged", reason}}.dump() << '\n';
	}

private:
	unsigned long long frame_ = 0;
};

void print_counts(const DriverStats &s, bool json)
{
	if(json) {
		const nlohmann::ordered_json counts{{"bytes", s.bytes}, {"frames", s.frames},
				{"damaged", s.damaged}, {"resyncs", s.resyncs}, {"skipped", s.skipped},
				{"implausible", s.implausible}};
		std::cout << nlohmann::ordered_json{{"counts", counts}}.dump() << '\n';
		return;
	}
	std::printf("counts\tbytes=%llu\tframes=%llu\tdamaged=%llu\tresyncs=%llu\tskipped=%llu"
				"\timplausible=%llu\n",
			static_cast<unsigned long long>(s.bytes), static_cast<unsigned long long>(s.frames),
			static_cast<unsigned long long>(s.damaged), static_cast<unsigned long long>(s.resyncs),
			static_cast<unsigned long long>(s.skipped),
			static_cast<unsigned long long>(s.implausible));
}

} // namespace

int run_once(const OnceOptions &options)
{
	auto driver = make_driver(options.driver, {.extended = options.extended});
	if(!driver) {
		std::cerr << "bmd-collector: " << driver.error().reason << '\n';
		return 1;
	}
	std::ifstream file;
	if(options.file != "-") {
		file.open(options.file, std::ios::binary);
		if(!file) {
			std::cerr << "bmd-collector: cannot open " << options.file << '\n';
			return 1;
		}
	}
	std::istream &in = options.file == "-" ? std::cin : file;
	std::unique_ptr<DriverSink> sink = std::make_unique<TextSink>();
	if(options.json)
		sink = std::make_unique<JsonSink>();
	std::array<char, 4096> buffer{};
	while(in.read(buffer.data(), buffer.size()), in.gcount() > 0) {
		const auto *bytes = reinterpret_cast<const std::uint8_t *>(buffer.data());
		(*driver)->push({bytes, static_cast<std::size_t>(in.gcount())}, 0, *sink);
	}
	if(in.bad()) {
		std::cerr << "bmd-collector: reading " << options.file << " failed\n";
		return 1;
	}
	(*driver)->reset(*sink);
	print_counts((*driver)->stats(), options.json);
	std::cout.flush();
	return std::fflush(stdout) == 0 && std::cout ? 0 : 1;
}

} // namespace bmd
