/// @file measure.hpp  Clocks, quantiles and arguments of the programs of the benchmark.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace bench {

/// Nanoseconds of a clock.
inline std::int64_t now_ns(clockid_t clock = CLOCK_MONOTONIC)
{
	timespec t{};
	clock_gettime(clock, &t);
	return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

/// Microseconds since 1970.
inline std::int64_t wall_us()
{
	return now_ns(CLOCK_REALTIME) / 1000;
}

/// User and system seconds this process has taken.
inline double own_cpu()
{
	rusage usage{};
	getrusage(RUSAGE_SELF, &usage);
	const auto seconds = [](const timeval &t) {
		return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
	};
	return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// The value that `share` (0 to 1) of all do not exceed; 0 when there are none.  Sorts.
inline std::int64_t quantile(std::vector<std::int64_t> &values, double share)
{
	if(values.empty())
		return 0;
	std::sort(values.begin(), values.end());
	const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size()));
	return values[std::min(at, values.size() - 1)];
}

/// Arguments "--name value".  A name not in the table ends the program.
class Arguments
{
public:
	Arguments(int count, char **words, std::map<std::string, std::string> defaults)
		: values_(std::move(defaults))
	{
		for(int i = 1; i < count; i += 2) {
			const std::string name = words[i];
			const auto known =
					name.starts_with("--") ? values_.find(name.substr(2)) : values_.end();
			if(known == values_.end() || i + 1 >= count) {
				std::fprintf(stderr, "%s: unknown argument or no value: %s\nknown:", words[0],
						name.c_str());
				for(const auto &[key, value] : values_)
					std::fprintf(stderr, " --%s (%s)", key.c_str(), value.c_str());
				std::fprintf(stderr, "\n");
				std::exit(2);
			}
			known->second = words[i + 1];
		}
	}
	[[nodiscard]] const std::string &text(const std::string &name) const
	{
		return values_.at(name);
	}
	[[nodiscard]] std::int64_t whole(const std::string &name) const
	{
		return std::strtoll(text(name).c_str(), nullptr, 10);
	}
	[[nodiscard]] double real(const std::string &name) const
	{
		return std::strtod(text(name).c_str(), nullptr);
	}

private:
	std::map<std::string, std::string> values_;
};

} // namespace bench
