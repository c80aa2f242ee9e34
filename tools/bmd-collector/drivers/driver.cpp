/// @file driver.cpp  The list of drivers.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "drivers/driver.hpp"

#include "drivers/nonin.hpp"
#include "drivers/pb840.hpp"

namespace bmd {

namespace {

constexpr DriverInfo table[] = {
		{"nonin", 9600, "Nonin pulse oximeters, serial data format 2"},
		{"pb840", 9600, "Puritan Bennett 840 ventilator, SNDF replies"},
};

} // namespace

std::span<const DriverInfo> drivers() noexcept
{
	return table;
}

const DriverInfo *find_driver(std::string_view name) noexcept
{
	for(const auto &info : table)
		if(info.name == name)
			return &info;
	return nullptr;
}

Result<std::unique_ptr<Driver>> make_driver(std::string_view name, const DriverOptions &options)
{
	if(name == "nonin")
		return std::unique_ptr<Driver>(std::make_unique<NoninDriver>(options));
	if(name == "pb840")
		return std::unique_ptr<Driver>(std::make_unique<Pb840Driver>(options));
	std::string names;
	for(const auto &info : table)
		names += (names.empty() ? "" : ", ") + std::string(info.name);
	return malformed("unknown driver '" + std::string(name) + "'; there are: " + names);
}

void add_value(
		std::vector<Reading> &out, const MetricInfo &metric, double value, DriverStats &stats)
{
	if(value >= metric.min && value <= metric.max) {
		out.push_back({metric.id, ReadingKind::value, Priority::high, value});
		return;
	}
	stats.implausible++;
	out.push_back({metric.id, ReadingKind::invalid, Priority::high, 0.0});
}

} // namespace bmd
