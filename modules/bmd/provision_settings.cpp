/// @file provision_settings.cpp  Takes settings and maintenance windows into the store.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include <atomic>
#include <shared_mutex>

#include "provision_take.hpp"
#include "windows.hpp"

namespace bmd {

namespace {

// Without its row a setting is what the migration made it.
struct Setting
{
	std::string_view name;
	std::atomic<DurationUs> Settings::*at;
	std::int64_t otherwise; ///< in its unit
	DurationUs unit = second_us;
};

constexpr Setting known[] = {{"reopen_seconds", &Settings::reopen, 60},
		{"silence_seconds", &Settings::silence, 900},
		{"silence_high_seconds", &Settings::silence_high, 120},
		{"messages_per_minute", &Settings::messages, 10, 1},
		{"storm_window_seconds", &Settings::storm_window, 30},
		{"storm_rest_seconds", &Settings::storm_rest, 120}};

// The same of numbers.
struct Number
{
	std::string_view name;
	std::atomic<std::uint32_t> Settings::*at;
	std::uint32_t otherwise;
};

constexpr Number numbers[] = {{"storm_devices", &Settings::storm_devices, 10},
		{"storm_site_devices", &Settings::storm_site_devices, 20}};

} // namespace

Result<bool> take_settings(Pg &pg)
{
	std::int64_t values[std::size(known)];
	std::uint32_t counts[std::size(numbers)];
	for(std::size_t i = 0; i < std::size(known); ++i)
		values[i] = known[i].otherwise;
	for(std::size_t i = 0; i < std::size(numbers); ++i)
		counts[i] = numbers[i].otherwise;
	auto read = stream_rows(pg, settings_query(), [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows) {
			for(std::size_t i = 0; i < std::size(known); ++i)
				if(row.text(0) == known[i].name)
					values[i] = row.integer(1);
			for(std::size_t i = 0; i < std::size(numbers); ++i)
				if(row.text(0) == numbers[i].name)
					counts[i] = static_cast<std::uint32_t>(row.integer(1));
		}
	});
	for(std::size_t i = 0; read && i < std::size(numbers); ++i)
		(store()->settings.*numbers[i].at).store(counts[i]);
	for(std::size_t i = 0; read && i < std::size(known); ++i)
		(store()->settings.*known[i].at).store(values[i] * known[i].unit);
	return read;
}

Result<bool> take_windows(Pg &pg)
{
	std::vector<WindowRec> windows;
	auto read = stream_rows(pg, windows_query(), [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			windows.push_back(window_of(row));
	});
	if(!read)
		return read;
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	begin_windows();
	for(const WindowRec &window : windows)
		keep_window(window.id);
	drop_lost_windows();
	for(const WindowRec &window : windows)
		if(!put_window(window))
			no_room("maintenance window of", window.name);
	return true;
}

} // namespace bmd
