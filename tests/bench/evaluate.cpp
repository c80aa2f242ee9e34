/// @file evaluate.cpp  Speed of the evaluation alone: modules/common, one core, no server.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Eight metrics a device, standard values of five types, every tenth device with prescribed ones,
/// one reading in a thousand outside its limits.  Prints one JSON object.

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "batch.hpp"
#include "bmd/threshold.hpp"
#include "measure.hpp"

namespace {

using namespace bench;

constexpr std::size_t metrics = signals.size();
constexpr std::size_t types = 5;
constexpr std::size_t values_size = 1U << 16;
constexpr std::int64_t second = 1'000'000;

/// What a server remembers of a metric.
struct Memory
{
	bmd::Watch limits;
	bmd::Watch validity;
};

struct Device
{
	std::uint32_t type;
	std::uint32_t prescribed; ///< its own rules from here on; 0: the type's
};

struct World
{
	std::vector<bmd::Rule> rules; ///< of types, then prescribed ones
	std::vector<Device> devices;
	std::vector<Memory> memory;
	std::vector<std::uint32_t> order;
	std::vector<double> values; ///< of each metric in turn
};

bmd::Rule rule_of(std::size_t metric, double widen)
{
	const Signal &s = signals[metric];
	bmd::Rule rule;
	const double margin = 4 * s.spread * widen;
	if(s.wrong < s.usual)
		rule.low = s.usual - margin;
	else
		rule.high = s.usual + margin;
	rule.hysteresis = s.spread / 2;
	rule.delay = metric % 2 == 0 ? 0 : 10 * second;
	rule.priority = bmd::Priority::medium;
	return rule;
}

World make_world(std::size_t count, bool shuffled, std::mt19937 &random)
{
	World world;
	for(std::size_t t = 0; t < types; ++t)
		for(std::size_t m = 0; m < metrics; ++m)
			world.rules.push_back(rule_of(m, 1 + static_cast<double>(t) / 20));
	for(std::size_t d = 0; d < count; ++d) {
		world.devices.push_back(Device{static_cast<std::uint32_t>(random() % types), 0});
		if(d % 10 != 0)
			continue;
		world.devices.back().prescribed = static_cast<std::uint32_t>(world.rules.size());
		for(std::size_t m = 0; m < metrics; ++m)
			world.rules.push_back(rule_of(m, 1.3));
	}
	world.memory.resize(count * metrics);
	world.order.resize(count);
	std::iota(world.order.begin(), world.order.end(), 0U);
	if(shuffled)
		std::shuffle(world.order.begin(), world.order.end(), random);
	std::uniform_real_distribution<double> swing(-1, 1);
	for(std::size_t i = 0; i < values_size; ++i) {
		const Signal &s = signals[i % metrics];
		const unsigned kind = random() % 10000;
		const double inside = s.usual + swing(random) * s.spread;
		world.values.push_back(kind < 10   ? s.wrong
							   : kind < 11 ? std::numeric_limits<double>::quiet_NaN()
										   : inside);
	}
	return world;
}

/// One reading of every metric of every device; how many alerts began and ended.
std::uint64_t round_of(World &world, std::size_t offset, bmd::TimeUs time)
{
	std::uint64_t changes = 0;
	for(std::size_t i = 0; i < world.order.size(); ++i) {
		const std::uint32_t d = world.order[i];
		const Device &device = world.devices[d];
		const bmd::Rule *rules =
				&world.rules[device.prescribed != 0 ? device.prescribed : device.type * metrics];
		const double *values = &world.values[(i + offset) * metrics % values_size];
		for(std::size_t m = 0; m < metrics; ++m) {
			Memory &memory = world.memory[d * metrics + m];
			const double value = values[m];
			const bool valid = std::isfinite(value);
			if(bmd::step_validity(memory.validity, rules[m].delay, valid, time).change
					!= bmd::Change::none)
				++changes;
			if(valid && bmd::step(memory.limits, rules[m], value, time).change != bmd::Change::none)
				++changes;
		}
	}
	return changes;
}

struct Speed
{
	double per_s = 0;   ///< median of the runs, by processor time
	double changes = 0; ///< of 1,000 readings
};

Speed measure(std::size_t count, bool shuffled, double seconds, int runs)
{
	std::mt19937 random(7);
	World world = make_world(count, shuffled, random);
	bmd::TimeUs time = 1'700'000'000 * second;
	std::size_t offset = 0;
	round_of(world, offset, time); // touches all memory
	std::vector<std::int64_t> speeds;
	std::uint64_t changes = 0;
	std::uint64_t readings = 0;
	for(int run = 0; run < runs; ++run) {
		const std::int64_t begun = now_ns(CLOCK_THREAD_CPUTIME_ID);
		std::int64_t taken = 0;
		std::uint64_t these = 0;
		while(static_cast<double>(taken) < seconds * 1e9) {
			offset += 1 + random() % values_size;
			time += second;
			changes += round_of(world, offset, time);
			these += count * metrics;
			taken = now_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
		}
		readings += these;
		speeds.push_back(static_cast<std::int64_t>(
				static_cast<double>(these) * 1e9 / static_cast<double>(taken)));
	}
	return Speed{static_cast<double>(quantile(speeds, 0.5)),
			static_cast<double>(changes) * 1000 / static_cast<double>(readings)};
}

} // namespace

int main(int argc, char **argv)
{
	const Arguments arguments(argc, argv, {{"seconds", "0.5"}, {"runs", "5"}});
	std::printf("[");
	const char *comma = "";
	for(std::size_t count = 1000; count <= 1'000'000; count *= 10) {
		for(const bool shuffled : {false, true}) {
			const Speed speed = measure(count, shuffled, arguments.real("seconds"),
					static_cast<int>(arguments.whole("runs")));
			std::printf("%s{\"devices\": %zu, \"order\": \"%s\", \"per_s\": %.0f, "
						"\"changes_per_1000\": %.3f}",
					comma, count, shuffled ? "random" : "in order", speed.per_s, speed.changes);
			comma = ", ";
		}
	}
	std::printf("]\n");
	return 0;
}
