/// @file core_query.cpp  What kamcmd shows, behind bmd_core.h.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Records are copied under the locks and shown after them.

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <vector>

#include "answer.hpp"
#include "bmd/code.hpp"
#include "bmd_core.h"
#include "core_bridge.hpp"
#include "documents.hpp"
#include "permits.hpp"
#include "registry.hpp"
#include "rows.hpp"
#include "storm.hpp"
#include "view.hpp"

namespace {

using bmd::guarded;
using bmd::Index;
using bmd::Mutex;
using bmd::RwLock;
using bmd::store;
using bmd::stripes;
using bmd::view_of;

// Copies of the open ones, newest first.  Caller holds the registry lock.
std::vector<bmd::AlertRec> open_alerts(std::string_view serial)
{
	bmd::Store &s = *store();
	std::vector<bmd::AlertRec> records;
	const std::lock_guard<Mutex> book(s.book_lock);
	for(Index i = s.open_head; i != 0; i = s.alerts[i].next_open) {
		const bmd::AlertRec &alert = s.alerts[i];
		// what a storm tells of is listed with its device
		if(serial.empty() && alert.response.suppressed == bmd::Suppression::storm)
			continue;
		if(alert.state != bmd::AlertState::cleared && (serial.empty() || serial == alert.serial))
			records.push_back(alert);
	}
	return records;
}

// An empty person: anybody's.
std::vector<bmd_alert_view> collect_alerts(
		std::string_view serial, std::string_view person, std::size_t most, long &open)
{
	std::vector<bmd_alert_view> views;
	const std::shared_lock<RwLock> registry(store()->registry_lock);
	const auto alerts = person.empty() ? open_alerts(serial) : bmd::open_alerts_for(person);
	open = static_cast<long>(alerts.size());
	views.reserve(std::min(most, alerts.size()));
	const bmd::Permits permits;
	for(std::size_t i = 0; i < std::min(most, alerts.size()); ++i) {
		const auto shown = person.empty() ? bmd::Shown() : permits.in_person(person, alerts[i]);
		if(shown)
			bmd::show_alert(alerts[i], views.emplace_back(), person, *shown);
	}
	return views;
}

long each_alert(bmd_text serial, bmd_text person, long most, bmd_each_alert each, void *arg)
{
	return guarded(0L, [&] {
		long open = 0;
		for(const bmd_alert_view &view : collect_alerts(
					view_of(serial), view_of(person), static_cast<std::size_t>(most), open))
			each(&view, arg);
		return open;
	});
}

} // namespace

long bmd_core_devices(long first, long most, bmd_each_device each, void *arg)
{
	return guarded(0L, [&] {
		std::vector<bmd_device_view> views;
		long total = 0;
		{
			bmd::Store &s = *store();
			const std::shared_lock<RwLock> registry(s.registry_lock);
			for(Index i = 1; i <= s.devices.used; ++i) {
				if(s.devices[i].serial[0] == '\0' || total++ < first
						|| views.size() >= static_cast<std::size_t>(most))
					continue;
				const std::lock_guard<Mutex> guard(s.stripe[i % stripes]);
				bmd::show_device(i, views.emplace_back());
			}
		}
		for(const bmd_device_view &view : views)
			each(&view, arg);
		return total;
	});
}

int bmd_core_device(bmd_text serial, bmd_device_view *device, bmd_each_metric each, void *arg)
{
	return guarded(0, [&] {
		std::vector<bmd_metric_view> views;
		{
			bmd::Store &s = *store();
			const std::shared_lock<RwLock> registry(s.registry_lock);
			const Index i = bmd::find_device(view_of(serial));
			if(i == 0)
				return 0;
			const std::lock_guard<Mutex> guard(s.stripe[i % stripes]);
			bmd::show_device(i, *device);
			bmd::show_window_of(i, device->window);
			for(Index m = s.devices[i].first_metric; m != 0; m = s.metrics[m].next)
				bmd::show_metric(s.devices[i], s.metrics[m], views.emplace_back());
		}
		for(const bmd_metric_view &view : views)
			each(&view, arg);
		return 1;
	});
}

long bmd_core_alerts(bmd_text serial, long most, bmd_each_alert each, void *arg)
{
	return each_alert(serial, {"", 0}, most, each, arg);
}

long bmd_core_alerts_of(bmd_text who, long most, bmd_each_alert each, void *arg)
{
	return who.len == 0 ? 0 : each_alert({"", 0}, who, most, each, arg);
}

int bmd_core_may_answer(bmd_text who, bmd_text alert)
{
	return guarded(0, [&] {
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		bmd::AlertRec found{};
		if(bmd::find_alert(view_of(alert), found) == 0)
			return 0;
		return bmd::may_answer(view_of(who), found)      ? 1
			   : bmd::is_kept_quiet(view_of(who), found) ? -1
														 : 0;
	});
}

int bmd_core_alert(bmd_text id, bmd_alert_view *alert)
{
	return bmd_core_alert_for({"", 0}, id, alert);
}

int bmd_core_alert_for(bmd_text person, bmd_text id, bmd_alert_view *alert)
{
	return guarded(0, [&] {
		bmd::Store &s = *store();
		const std::shared_lock<RwLock> registry(s.registry_lock);
		bmd::AlertRec found{};
		if(bmd::find_alert(view_of(id), found) == 0 || found.closed_at != 0)
			return bmd::parse_uuid(view_of(id)) || bmd::parse_code(view_of(id)) != 0 ? 0 : -1;
		const bmd::Permits permits;
		const auto shown =
				person.len == 0 ? bmd::Shown() : permits.in_person(view_of(person), found);
		if(!shown)
			return 0;
		bmd::show_alert(found, *alert, view_of(person), *shown);
		bmd::show_window_of(bmd::find_device(found.serial), alert->window);
		return 1;
	});
}

int bmd_core_storm(bmd_text id, char *devices, size_t size, unsigned int *more)
{
	return guarded(0, [&] {
		const std::shared_lock<RwLock> registry(store()->registry_lock);
		bmd::AlertRec found{};
		if(bmd::find_alert(view_of(id), found) == 0 || found.condition != bmd::Condition::storm)
			return 0;
		const bmd::StormList list = bmd::list_storm(found);
		std::string text;
		for(const std::string &serial : list.serials)
			text += (text.empty() ? "" : ", ") + serial;
		bmd::copy_text(devices, size, text);
		*more = list.more;
		return 1;
	});
}

namespace {

struct Stat
{
	const char *name;
	const char *text;
	unsigned long (*level)(); ///< nullptr: a counter of the same number
};

constexpr Stat stats[] = {
#define COUNTER(name, text) {#name, text, nullptr},
#include "counters.inc"
#undef COUNTER
#define LEVEL(name, text, value) {#name, text, [] { return static_cast<unsigned long>(value); }},
#include "levels.inc"
#undef LEVEL
};

} // namespace

int bmd_core_stats(void)
{
	return static_cast<int>(std::size(stats));
}

const char *bmd_core_stat_name(int i)
{
	return stats[i].name;
}

const char *bmd_core_stat_text(int i)
{
	return stats[i].text;
}

unsigned long bmd_core_stat(int i)
{
	return stats[i].level != nullptr ? stats[i].level() : store()->counters[i].load();
}
