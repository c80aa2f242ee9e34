/// @file storm_keeper.cpp  Finds devices that fall silent; which of them make a storm.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "storm_keeper.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "bmd_host.h"
#include "evaluate.hpp"
#include "registry.hpp"
#include "windows.hpp"

namespace bmd {

namespace {

constexpr Index silence_piece = 50'000;   // devices looked at under one lock
constexpr std::size_t change_piece = 256; // that change under one lock

// Runs `work` for each, and lets changes of provisioning in between.
template <class T, class Work> void in_pieces(const std::vector<T> &all, const Work &work)
{
	for(std::size_t from = 0; from < all.size(); from += change_piece) {
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		for(std::size_t i = from; i < std::min(all.size(), from + change_piece); ++i)
			work(all[i], i);
	}
}

std::vector<Index> silent_devices()
{
	Store &s = *store();
	std::vector<Index> found;
	for(Index from = 1; from <= s.devices.used; from += silence_piece) {
		const std::shared_lock<RwLock> registry(s.registry_lock);
		find_silent(from, from + silence_piece - 1, found);
	}
	return found;
}

// The collector it was last heard from, or, since the start it has not been heard, the only one
// that may report it.
std::uint64_t cause_of(const DeviceRec &device) noexcept
{
	if(device.last_source != 0)
		return device.last_source;
	const bool known = device.collector != 0 && !collector_name(device.collector).empty();
	return known ? device.collector : site_cause;
}

bool is_being_worked_on(Index device) noexcept
{
	WindowRec window{};
	return find_window(device, wall_now(), window);
}

SilentDevice silent_device(Index index)
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.stripe[index % stripes]);
	return {cause_of(s.devices[index]), s.heard[index].mono.load(std::memory_order_relaxed)};
}

bool has_alert(Index device) noexcept
{
	return (store()->heard[device].flags.load(std::memory_order_relaxed) & device_stale) != 0;
}

} // namespace

// Told by themselves too long ago, heard again, gone, or in a storm by now.
void StormKeeper::forget_recent(TimeUs now)
{
	Store &s = *store();
	const DurationUs window = s.settings.storm_window.load();
	const std::shared_lock<RwLock> registry(s.registry_lock);
	std::erase_if(recent_, [&](const Recent &recent) {
		return now - recent.noticed > window || s.devices[recent.device].storm.load() != 0
			   || !has_alert(recent.device);
	});
}

// The storms that devices were grouped into, in the order of their numbers there.  0: there was no
// room for it, its devices are told one by one.
std::vector<std::uint8_t> StormKeeper::storms_of(const Grouping &grouping)
{
	std::vector<std::uint8_t> numbers;
	for(const auto &[number, kept] : storms_)
		numbers.push_back(number);
	for(const std::uint64_t cause : grouping.opened) {
		const auto devices = std::ranges::count(grouping.storm, numbers.size());
		numbers.push_back(open_storm(cause, static_cast<std::uint32_t>(devices)));
	}
	return numbers;
}

void StormKeeper::join(std::uint8_t storm, Index device, TimeUs heard)
{
	Kept &kept = storms_.at(storm);
	kept.devices.push_back(device); // a device of a storm is in its list, whatever fails
	if(!join_storm(device, storm))
		return kept.devices.pop_back();
	kept.span.took(heard, storm_rules(), store()->storms[storm].cause);
}

// Storms are told first, then who is silent alone, then each member is entered in the book.
void StormKeeper::notice(const std::vector<Index> &found)
{
	const Store &s = *store();
	const TimeUs now = mono_now();
	forget_recent(now);
	std::vector<Index> members; // of storms already, or from now on
	std::vector<Index> devices; // to be grouped
	std::vector<Index> worked_on;
	std::vector<Index> by_itself;
	in_pieces(found, [&](Index device, std::size_t) {
		if(s.devices[device].storm.load() != 0)
			members.push_back(device); // the book had no room
		else
			(is_being_worked_on(device) ? worked_on : devices).push_back(device);
	});
	const std::size_t fresh = devices.size();
	for(const Recent &recent : recent_)
		devices.push_back(recent.device);
	std::vector<SilentDevice> silence(devices.size());
	in_pieces(devices, [&](Index device, std::size_t i) { silence[i] = silent_device(device); });
	std::vector<OpenStorm> open;
	for(const auto &[number, kept] : storms_)
		open.push_back({s.storms[number].cause, kept.span});
	const Grouping grouping = group_silent(storm_rules(), open, silence);
	const std::vector<std::uint8_t> numbers = storms_of(grouping);
	in_pieces(devices, [&](Index device, std::size_t i) {
		const std::size_t storm = grouping.storm[i];
		if(storm != alone && numbers[storm] != 0)
			join(numbers[storm], device, silence[i].heard);
		if(i < fresh)
			(s.devices[device].storm.load() != 0 ? members : by_itself).push_back(device);
	});
	for(std::size_t i = open.size(); i < numbers.size(); ++i)
		if(numbers[i] != 0)
			tell_first(numbers[i], now);
	in_pieces(by_itself, [&](Index device, std::size_t) {
		raise_stale(device);
		if(has_alert(device)) // else there was no room, and it is found again
			recent_.push_back({device, now});
	});
	for(const std::vector<Index> &others : {worked_on, members})
		in_pieces(others, [](Index device, std::size_t) { raise_stale(device); });
}

void StormKeeper::look()
{
	if(!std::exchange(begun_, true))
		begin();
	const std::vector<Index> found = silent_devices();
	if(!found.empty())
		notice(found);
	follow(mono_now());
}

void StormKeeper::round() noexcept
{
	try {
		look();
	} catch(const std::exception &failure) {
		bmd_host_log(BMD_LOG_ERROR, (std::string("silence: ") + failure.what()).c_str());
	}
}

} // namespace bmd
