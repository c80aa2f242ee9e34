/// @file provision.cpp  Provisioning: loads it at start, follows its changes.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "provision.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>

#include "bmd_host.h"
#include "changes.hpp"
#include "documents.hpp"
#include "evaluate.hpp"
#include "forget.hpp"
#include "numbering.hpp"
#include "provision_read.hpp"
#include "subs.hpp"
#include "waiting.hpp"

namespace bmd {

namespace {

std::uint32_t generation = 0; // of the last whole load; rows of an older one are gone

void refused(const std::string &what)
{
	count(count_sync_failures);
	bmd_host_log(BMD_LOG_ERROR,
			("provisioning: no room for " + what + ": raise the module's size parameters").c_str());
}

// Everything one load brings.
struct Rows
{
	std::vector<TypeRow> types;
	std::vector<LimitRow> type_limits;
	std::vector<PatientRow> patients;
	std::vector<DeviceRow> devices;
	std::vector<LimitRow> device_limits;
};

template <class T> Result<bool> into(Result<std::vector<T>> from, std::vector<T> &to)
{
	if(!from)
		return from.error();
	to = std::move(from).value();
	return true;
}

Result<bool> read_rows(Pg &pg, Rows &rows)
{
	if(auto r = into(read_types(pg, ""), rows.types); !r)
		return r;
	if(auto r = into(read_type_limits(pg, ""), rows.type_limits); !r)
		return r;
	if(auto r = into(read_patients(pg, ""), rows.patients); !r)
		return r;
	if(auto r = into(read_devices(pg, ""), rows.devices); !r)
		return r;
	return into(read_device_limits(pg, ""), rows.device_limits);
}

void put_types(const std::vector<TypeRow> &types, const std::vector<LimitRow> &limits)
{
	for(const TypeRow &row : types) {
		if(!put_type(row))
			refused("device type " + row.name);
		else
			drop_type_limits(find_type(row.name));
	}
	for(const LimitRow &row : limits)
		if(!put_type_limit(row))
			refused("a standard value of type " + row.owner);
}

void put_devices(const std::vector<DeviceRow> &devices, const std::vector<LimitRow> &limits)
{
	for(const DeviceRow &row : devices) {
		const Belonging before = belonging_of(row.serial);
		if(!put_device(row, generation)) {
			refused("device " + row.serial);
			continue;
		}
		const Index device = find_device(row.serial);
		drop_device_limits(device);
		forget_if_other(device, before);
	}
	for(const LimitRow &row : limits)
		if(!put_device_limit(row))
			refused("a prescribed value of device " + row.owner);
}

// The watchers of its feeds learn it from a full state: the device is no longer there to be told
// of.
void remove_device(Index device)
{
	Store &s = *store();
	std::vector<std::string> feeds{"dev." + std::string(s.devices[device].serial)};
	for(Index e = s.devices[device].first_member; e != 0; e = s.members[e].next_of_device)
		feeds.emplace_back(s.feeds[s.members[e].feed].name);
	forget_device(device, "removed");
	drop_device(device);
	for(const std::string &feed : feeds)
		queue_refresh(feed);
}

void sweep()
{
	Store &s = *store();
	for(Index i = 1; i <= s.devices.used; ++i) {
		if(s.devices[i].serial[0] == '\0' || s.devices[i].generation == generation)
			continue;
		remove_device(i);
	}
	for(Index i = 1; i <= s.patients.used; ++i)
		if(s.patients[i].id != 0 && s.patients[i].generation != generation)
			drop_patient(i);
}

void judge_all(Index type)
{
	Store &s = *store();
	for(Index i = 1; i <= s.devices.used; ++i)
		if(s.devices[i].serial[0] != '\0' && (type == 0 || s.devices[i].type == type))
			judge_again(i);
}

Result<bool> load_rows(Pg &pg)
{
	Rows rows;
	if(auto read = read_rows(pg, rows); !read)
		return read;
	const std::lock_guard<RwLock> registry(store()->registry_lock);
	++generation;
	put_types(rows.types, rows.type_limits);
	for(const PatientRow &row : rows.patients)
		if(!put_patient(row, generation))
			refused("patient " + std::to_string(row.id));
	put_devices(rows.devices, rows.device_limits);
	sweep();
	judge_all(0);
	return true;
}

// With `tell`, watchers of feeds that changed get full state.
Result<bool> load_feeds(Pg &pg, bool tell)
{
	auto members = read_members(pg);
	if(!members)
		return members.error();
	auto watchers = read_watchers(pg);
	if(!watchers)
		return watchers.error();
	bool complete = true;
	std::vector<std::string> changed;
	{
		const std::lock_guard<RwLock> registry(store()->registry_lock);
		changed = replace_feeds(*members, *watchers, complete);
	}
	if(!complete)
		refused("all feeds and memberships");
	for(const std::string &feed : changed)
		if(tell)
			queue_refresh(feed);
	return true;
}

// Its device went while the server was down: the alert ends in the database, too.
void close_orphan(AlertRec &alert)
{
	alert.state = AlertState::cleared;
	alert.cleared_at = alert.changed_at = wall_now();
	++alert.revision;
	(void)journal_alert(alert, "removed", Actor{}); // no room: the next start does it
}

Result<bool> load_alerts(Pg &pg)
{
	auto alerts = read_open_alerts(pg);
	if(!alerts)
		return alerts.error();
	const std::lock_guard<RwLock> registry(store()->registry_lock);
	for(AlertRec &alert : *alerts) {
		alert.device = find_device(alert.serial);
		if(alert.device == 0) {
			close_orphan(alert);
			continue;
		}
		const Index slot = restore_alert(alert);
		if(slot == 0) {
			refused("an open alert");
			continue;
		}
		adopt_alert(slot);
	}
	return true;
}

Result<bool> load_collectors(Pg &pg)
{
	auto rows = read_collectors(pg);
	if(!rows)
		return rows.error();
	Store &s = *store();
	for(const CollectorRow &row : *rows) {
		const Index i = find_collector(row.name, true);
		if(i == 0) {
			refused("collector " + row.name);
			continue;
		}
		CollectorRec &collector = s.collectors[i];
		collector.database_id.store(row.database_id);
		// Absurd (taken by an older release): no real epoch would ever be taken after it.
		if(row.epoch > wall_now() + epoch_ahead)
			continue;
		collector.epoch = row.epoch;
		collector.accepted_seq = row.seq;
		collector.durable_epoch.store(row.epoch);
		collector.durable_seq.store(row.seq);
	}
	return true;
}

} // namespace

Result<bool> bump_subscriptions(Pg &pg)
{
	auto done = pg.run("DO $$ BEGIN IF to_regclass('active_watchers') IS NOT NULL THEN "
					   "UPDATE active_watchers SET local_cseq = local_cseq + 100000, "
					   "version = version + 100000 WHERE event = 'bmd-alert'; END IF; END $$");
	if(!done)
		return done.error();
	return true;
}

Result<bool> load_all(Pg &pg)
{
	if(auto r = load_rows(pg); !r)
		return r;
	if(auto r = load_feeds(pg, false); !r)
		return r;
	if(auto r = load_alerts(pg); !r)
		return r;
	if(auto r = load_waiting(pg); !r)
		return r;
	if(auto r = load_collectors(pg); !r)
		return r;
	if(auto r = bump_subscriptions(pg); !r)
		return r;
	auto subscriptions = read_subscriptions(pg);
	if(!subscriptions)
		return subscriptions.error();
	for(const SubscriptionRow &row : *subscriptions) {
		const Resource resource = parse_resource(row.resource);
		SubRef ref;
		mark_watched(resource.feed);
		if(resource.dialog != 0
				&& put_sub(resource.dialog, resource.feed, row.user,
						   mono_now() + row.seconds * second_us, ref)
						   == Admission::full)
			refused("a subscription");
	}
	store()->loaded = true;
	// Whatever was not told before the stop is told now.
	queue_refresh_all();
	return true;
}

namespace {

Result<bool> apply_type(Pg &pg, const std::string &key)
{
	std::vector<TypeRow> types;
	std::vector<LimitRow> limits;
	if(auto r = into(read_types(pg, key), types); !r)
		return r;
	if(auto r = into(read_type_limits(pg, key), limits); !r)
		return r;
	const std::lock_guard<RwLock> registry(store()->registry_lock);
	put_types(types, limits);
	if(const Index type = find_type(key); type != 0)
		judge_all(type);
	return true;
}

Result<bool> apply_patient(Pg &pg, const std::string &key)
{
	std::vector<PatientRow> patients;
	if(auto r = into(read_patients(pg, key), patients); !r)
		return r;
	const std::lock_guard<RwLock> registry(store()->registry_lock);
	for(const PatientRow &row : patients)
		if(!put_patient(row, generation))
			refused("patient " + key);
	const Index known = patients.empty() ? find_patient(std::stoll(key)) : 0;
	if(known != 0)
		drop_patient(known);
	return true;
}

Result<bool> apply_device(Pg &pg, const std::string &key)
{
	std::vector<DeviceRow> devices;
	std::vector<LimitRow> limits;
	if(auto r = into(read_devices(pg, key), devices); !r)
		return r;
	if(auto r = into(read_device_limits(pg, key), limits); !r)
		return r;
	const std::lock_guard<RwLock> registry(store()->registry_lock);
	put_devices(devices, limits);
	const Index device = find_device(key);
	if(device == 0)
		return true;
	if(!devices.empty()) {
		judge_again(device);
		return true;
	}
	remove_device(device);
	return true;
}

// In which order changes of one transaction are taken: what is referred to comes first.
int rank(const ProvisioningChange &change)
{
	if(change.key == "*" && change.table.starts_with("bmd_device"))
		return 0;
	if(change.table == "bmd_device_type" || change.table == "bmd_type_limit")
		return 1;
	if(change.table == "bmd_patient")
		return 2;
	return change.table == "bmd_device" || change.table == "bmd_device_limit" ? 3 : 4;
}

} // namespace

Result<bool> apply_changes(Pg &pg, const std::vector<ProvisioningChange> &changes)
{
	std::set<std::pair<int, std::string>> todo; // each key once, in order
	bool everything = false;
	for(const ProvisioningChange &change : changes) {
		const int order = rank(change);
		everything = everything || (change.key == "*" && order < 4);
		todo.emplace(order, order == 4 ? "" : change.key);
	}
	if(everything)
		if(auto r = load_rows(pg); !r)
			return r;
	for(const auto &[order, key] : todo) {
		Result<bool> done = true;
		if(everything || key == "*" || order == 4)
			continue;
		if(order == 1)
			done = apply_type(pg, key);
		else if(order == 2)
			done = apply_patient(pg, key);
		else
			done = apply_device(pg, key);
		if(!done)
			return done;
	}
	count(count_sync_changes, changes.size());
	return load_feeds(pg, true);
}

Result<bool> reload(Pg &pg)
{
	if(auto r = load_rows(pg); !r)
		return r;
	return load_feeds(pg, true);
}

} // namespace bmd
