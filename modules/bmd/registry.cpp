/// @file registry.cpp  Devices, types and patients: look up, insert, drop.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "registry.hpp"

#include <cstring>
#include <mutex>

namespace bmd {

namespace {

Index &bucket(Buckets &buckets, std::uint64_t hash) noexcept
{
	return buckets.head[hash & buckets.mask];
}

template <class T>
Index find_named(const Table<T> &table, Buckets &buckets, std::string_view name,
		char (T::*field)[name_size]) noexcept
{
	Index i = bucket(buckets, hash_name(name));
	while(i != 0 && name != table[i].*field)
		i = table[i].next_hash;
	return i;
}

// Takes a slot whose link for the free list is `next`.
template <class T> Index take(Table<T> &table, Index T::*next) noexcept
{
	if(table.free != 0) {
		const Index i = table.free;
		table.free = table[i].*next;
		return i;
	}
	return table.used < table.size ? ++table.used : 0;
}

template <class T> void give_back(Table<T> &table, Index i, Index T::*next) noexcept
{
	table[i].*next = table.free;
	table.free = i;
}

template <class T> void unlink_hash(Table<T> &table, Index &head, Index gone) noexcept
{
	Index *link = &head;
	while(*link != 0 && *link != gone)
		link = &table[*link].next_hash;
	if(*link == gone)
		*link = table[gone].next_hash;
}

void overlay(Rule &rule, const RuleRec &over) noexcept
{
	if(over.fields & rule_low)
		rule.low = over.rule.low;
	if(over.fields & rule_high)
		rule.high = over.rule.high;
	if(over.fields & rule_hysteresis)
		rule.hysteresis = over.rule.hysteresis;
	if(over.fields & rule_delay)
		rule.delay = over.rule.delay;
	if(over.fields & rule_priority)
		rule.priority = over.rule.priority;
	if(over.fields & rule_latching)
		rule.latching = over.rule.latching;
}

} // namespace

Index find_type(std::string_view name) noexcept
{
	const Table<TypeRec> &types = store()->types;
	for(Index i = 1; i <= types.used; ++i)
		if(types[i].used && name == types[i].name)
			return i;
	return 0;
}

Index find_device(std::string_view serial) noexcept
{
	return find_named(store()->devices, store()->device_hash, serial, &DeviceRec::serial);
}

Index find_patient(std::int64_t id) noexcept
{
	Store &s = *store();
	Index i = bucket(s.patient_hash, static_cast<std::uint64_t>(id));
	while(i != 0 && s.patients[i].id != id)
		i = s.patients[i].next_hash;
	return i;
}

Index find_collector(std::string_view name, bool add) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.pool_lock);
	const Index found = find_named(s.collectors, s.collector_hash, name, &CollectorRec::name);
	if(found != 0 || !add || s.collectors.used >= s.collectors.size)
		return found;
	const Index i = ++s.collectors.used;
	copy_text(s.collectors[i].name, name_size, name);
	Index &head = bucket(s.collector_hash, hash_name(name));
	s.collectors[i].next_hash = head;
	head = i;
	return i;
}

bool rule_in_force(const DeviceRec &device, MetricId metric, Rule &rule) noexcept
{
	const Store &s = *store();
	if(metric >= max_metric_id)
		return false;
	const Index standard = s.types[device.type].rule_of[metric];
	bool found = standard != 0;
	rule = found ? s.rules[standard].rule : Rule{};
	for(Index i = device.first_rule; i != 0; i = s.rules[i].next) {
		if(s.rules[i].metric != metric)
			continue;
		overlay(rule, s.rules[i]);
		found = true;
	}
	return found;
}

bool put_type(const TypeRow &row) noexcept
{
	Store &s = *store();
	Index i = find_type(row.name);
	if(i == 0) {
		if(s.types.used >= s.types.size)
			return false;
		i = ++s.types.used;
		copy_text(s.types[i].name, name_size, row.name);
		s.types[i].used = true;
	}
	s.types[i].stale_after = row.stale_after;
	for(Index d = 1; d <= s.devices.used; ++d)
		if(s.devices[d].serial[0] != '\0' && s.devices[d].type == i)
			s.heard[d].stale_after_ms = static_cast<std::uint32_t>(row.stale_after / 1000);
	return true;
}

bool put_patient(const PatientRow &row, std::uint32_t generation) noexcept
{
	Store &s = *store();
	Index i = find_patient(row.id);
	if(i == 0) {
		i = take(s.patients, &PatientRec::next_hash);
		if(i == 0)
			return false;
		s.patients[i].id = row.id;
		Index &head = bucket(s.patient_hash, static_cast<std::uint64_t>(row.id));
		s.patients[i].next_hash = head;
		head = i;
	}
	PatientRec &patient = s.patients[i];
	copy_text(patient.name, patient_name_size, row.name);
	copy_text(patient.address, patient_address_size, row.address);
	patient.generation = generation;
	return true;
}

void drop_patient(Index patient) noexcept
{
	Store &s = *store();
	PatientRec &gone = s.patients[patient];
	unlink_hash(s.patients, bucket(s.patient_hash, static_cast<std::uint64_t>(gone.id)), patient);
	gone = PatientRec{};
	give_back(s.patients, patient, &PatientRec::next_hash);
}

namespace {

Index new_device(std::string_view serial) noexcept
{
	Store &s = *store();
	const Index i = take(s.devices, &DeviceRec::next_hash);
	if(i == 0)
		return 0;
	DeviceRec &device = *new (&s.devices[i]) DeviceRec();
	copy_text(device.serial, name_size, serial);
	device.watched.store(s.loaded);
	Index &head = bucket(s.device_hash, hash_name(serial));
	device.next_hash = head;
	head = i;
	s.heard[i].mono.store(mono_now());
	s.heard[i].flags.store(0);
	return i;
}

void set_flag(HeardRec &heard, std::uint8_t flag, bool on) noexcept
{
	if(on)
		heard.flags.fetch_or(flag);
	else
		heard.flags.fetch_and(static_cast<std::uint8_t>(~flag));
}

} // namespace

bool put_device(const DeviceRow &row, std::uint32_t generation) noexcept
{
	Store &s = *store();
	const Index type = find_type(row.type);
	if(type == 0)
		return false;
	Index i = find_device(row.serial);
	if(i == 0)
		i = new_device(row.serial);
	if(i == 0)
		return false;
	DeviceRec &device = s.devices[i];
	device.database_id = row.database_id;
	device.type = type;
	device.patient = row.patient == 0 ? 0 : find_patient(row.patient);
	device.generation = generation;
	device.collector = row.collector.empty() ? 0 : hash_name(row.collector);
	copy_text(device.location, location_size, row.location);
	HeardRec &heard = s.heard[i];
	heard.stale_after_ms = static_cast<std::uint32_t>(s.types[type].stale_after / 1000);
	if(row.enabled && !(heard.flags.load() & device_enabled))
		heard.mono.store(mono_now()); // silence counts from now
	set_flag(heard, device_enabled, row.enabled);
	if(row.seen)
		set_flag(heard, device_seen, true);
	return true;
}

bool put_type_limit(const LimitRow &row) noexcept
{
	Store &s = *store();
	const Index type = find_type(row.owner);
	if(type == 0 || row.metric >= max_metric_id)
		return false;
	Index &rule = s.types[type].rule_of[row.metric];
	if(rule == 0)
		rule = take(s.rules, &RuleRec::next);
	if(rule == 0)
		return false;
	s.rules[rule] = RuleRec{row.rule, 0, row.metric, row.fields};
	return true;
}

bool put_device_limit(const LimitRow &row) noexcept
{
	Store &s = *store();
	const Index device = find_device(row.owner);
	if(device == 0)
		return false;
	const Index rule = take(s.rules, &RuleRec::next);
	if(rule == 0)
		return false;
	s.rules[rule] = RuleRec{row.rule, s.devices[device].first_rule, row.metric, row.fields};
	s.devices[device].first_rule = rule;
	return true;
}

void drop_type_limits(Index type) noexcept
{
	Store &s = *store();
	for(Index &rule : s.types[type].rule_of) {
		if(rule != 0)
			give_back(s.rules, rule, &RuleRec::next);
		rule = 0;
	}
}

void drop_device_limits(Index device) noexcept
{
	Store &s = *store();
	Index rule = s.devices[device].first_rule;
	while(rule != 0) {
		const Index next = s.rules[rule].next;
		give_back(s.rules, rule, &RuleRec::next);
		rule = next;
	}
	s.devices[device].first_rule = 0;
}

void drop_device(Index index) noexcept
{
	Store &s = *store();
	DeviceRec &device = s.devices[index];
	drop_device_limits(index);
	for(Index m = device.first_metric; m != 0;) {
		const Index next = s.metrics[m].next;
		give_back(s.metrics, m, &MetricRec::next);
		m = next;
	}
	for(Index e = device.first_member; e != 0; e = s.members[e].next_of_device)
		s.members[e].device = 0; // the feed's list skips it until it is rebuilt
	unlink_hash(s.devices, bucket(s.device_hash, hash_name(device.serial)), index);
	s.heard[index].flags.store(0);
	new (&device) DeviceRec();
	give_back(s.devices, index, &DeviceRec::next_hash);
}

} // namespace bmd
