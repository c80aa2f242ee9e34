/// @file windows.cpp  Maintenance windows.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "windows.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <new>
#include <random>
#include <span>

#include "registry.hpp"

namespace bmd {

namespace {

std::span<WindowRec> all() noexcept
{
	return store()->windows.at;
}

bool in_force(const WindowRec &window, TimeUs now) noexcept
{
	return window.scope != WindowScope::none && window.from <= now && now < window.until;
}

bool in_group(const DeviceRec &device, std::string_view group) noexcept
{
	const Store &s = *store();
	Index e = device.first_member;
	while(e != 0 && group_of(s.feeds[s.members[e].feed]) != group)
		e = s.members[e].next_of_device;
	return e != 0 && !group.empty();
}

bool covers(const WindowRec &window, const DeviceRec &device) noexcept
{
	const std::string_view name = window.name;
	switch(window.scope) {
		case WindowScope::device:
			return name == device.serial;
		case WindowScope::type:
			return name == store()->types[device.type].name;
		case WindowScope::group:
			return in_group(device, name);
		case WindowScope::everything:
			return true;
		case WindowScope::none:
			break;
	}
	return false;
}

void drop(WindowRec &window) noexcept
{
	window = WindowRec{};
	--store()->windows.count;
}

WindowRec *find(const Uuid &id) noexcept
{
	const auto found = std::ranges::find_if(all(), [&](const WindowRec &window) {
		return window.scope != WindowScope::none && window.id == id;
	});
	return found == all().end() ? nullptr : &*found;
}

WindowRec *free_window() noexcept
{
	const auto found = std::ranges::find_if(
			all(), [](const WindowRec &window) { return window.scope == WindowScope::none; });
	return found == all().end() ? nullptr : &*found;
}

// Version 4: the database gives such ids, too.
Uuid random_id()
{
	std::random_device source;
	Uuid id{};
	for(std::uint8_t &byte : id)
		byte = static_cast<std::uint8_t>(source());
	id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);
	id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
	return id;
}

bool log_window(const WindowRec &window) noexcept
{
	Store &s = *store();
	std::uint64_t ticket = 0;
	void *slot = s.window_log.reserve(ticket);
	if(slot == nullptr)
		return false;
	new (slot) WindowRec(window);
	s.window_log.publish(ticket);
	s.writer_waker.wake();
	return true;
}

WindowSet end_windows_of(std::string_view serial, TimeUs now) noexcept
{
	WindowSet outcome = WindowSet::none_to_end;
	for(WindowRec &window : all()) {
		if(window.scope != WindowScope::device || serial != window.name || window.until <= now)
			continue;
		WindowRec ended = window;
		ended.until = std::max(now, window.from);
		if(!log_window(ended))
			return WindowSet::no_room;
		window.ends_anyway = window.until;
		window.until = ended.until;
		window.ended = true;
		outcome = WindowSet::done;
	}
	return outcome;
}

} // namespace

bool find_window(Index device, TimeUs now, WindowRec &found) noexcept
{
	Windows &windows = store()->windows;
	if(windows.count.load(std::memory_order_relaxed) == 0)
		return false;
	const std::lock_guard<Mutex> guard(windows.lock);
	for(const WindowRec &window : all())
		if(in_force(window, now) && covers(window, store()->devices[device])) {
			found = window;
			return true;
		}
	return false;
}

WindowSet set_window(std::string_view serial, TimeUs now, TimeUs until, std::string_view who,
		std::string_view why) noexcept
{
	Windows &windows = store()->windows;
	const std::lock_guard<Mutex> guard(windows.lock);
	if(until <= now)
		return end_windows_of(serial, now);
	WindowRec *slot = free_window();
	if(slot == nullptr)
		return WindowSet::no_room;
	WindowRec window{};
	window.id = random_id();
	window.scope = WindowScope::device;
	window.from = now;
	window.until = until;
	copy_text(window.name, name_size, serial);
	copy_text(window.who, name_size, who);
	copy_text(window.why, window_why_size, why);
	if(!log_window(window))
		return WindowSet::no_room;
	*slot = window;
	++windows.count;
	return WindowSet::done;
}

void begin_windows() noexcept
{
	const std::lock_guard<Mutex> guard(store()->windows.lock);
	for(WindowRec &window : all())
		window.found = false;
}

void keep_window(const Uuid &id) noexcept
{
	const std::lock_guard<Mutex> guard(store()->windows.lock);
	if(WindowRec *slot = find(id); slot != nullptr)
		slot->found = slot->stored = true;
}

bool put_window(const WindowRec &window) noexcept
{
	Windows &windows = store()->windows;
	const std::lock_guard<Mutex> guard(windows.lock);
	WindowRec *slot = find(window.id);
	if(slot != nullptr && slot->ended)
		return true; // the database does not know yet that an operator ended it
	if(slot == nullptr) {
		slot = free_window();
		if(slot == nullptr)
			return false;
		++windows.count;
	}
	const bool active = slot->active;
	*slot = window;
	slot->active = active;
	slot->found = slot->stored = true;
	return true;
}

void drop_lost_windows() noexcept
{
	const std::lock_guard<Mutex> guard(store()->windows.lock);
	for(WindowRec &window : all())
		if(window.scope != WindowScope::none && window.stored && !window.found) {
			store()->windows.dropped = store()->windows.dropped || window.active;
			drop(window);
		}
}

std::vector<WindowRec> all_windows(TimeUs now)
{
	std::vector<WindowRec> found;
	{
		const std::lock_guard<Mutex> guard(store()->windows.lock);
		std::ranges::copy_if(all(), std::back_inserter(found), [now](const WindowRec &window) {
			return window.scope != WindowScope::none && now < window.until;
		});
	}
	std::ranges::sort(found, {}, &WindowRec::from);
	return found;
}

bool windows_moved(TimeUs now) noexcept
{
	Windows &windows = store()->windows;
	if(windows.count.load(std::memory_order_relaxed) == 0 && !windows.dropped)
		return false;
	const std::lock_guard<Mutex> guard(windows.lock);
	bool moved = windows.dropped;
	windows.dropped = false;
	std::uint32_t active = 0;
	for(WindowRec &window : all()) {
		if(window.scope == WindowScope::none)
			continue;
		const bool now_active = in_force(window, now);
		moved = moved || now_active != window.active;
		window.active = now_active;
		active += now_active ? 1 : 0;
		if(window.until <= now && (!window.ended || window.ends_anyway <= now))
			drop(window);
	}
	windows.active.store(active);
	return moved;
}

} // namespace bmd
