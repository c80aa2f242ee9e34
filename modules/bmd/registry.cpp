/// @file registry.cpp  Devices, types and patients: look up, insert, drop.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "registry.hpp"

#include <mutex>

#include "table.hpp"

namespace bmd {

namespace {

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
	if(over.fields & rule_low_low)
		rule.low_low = over.rule.low_low;
	if(over.fields & rule_high_high)
		rule.high_high = over.rule.high_high;
	if(over.fields & rule_rises_after)
		rule.rises_after = over.rule.rises_after;
	if(over.fields & rule_most_per_hour)
		rule.most_per_hour = over.rule.most_per_hour;
}

} // namespace

Index find_type(std::string_view name) noexcept
{
	return find_named(store()->types, store()->type_hash, name, &TypeRec::name);
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

namespace {

Index &head_of(const TypeRec &type) noexcept
{
	return bucket(store()->type_hash, hash_name(type.name));
}

Index &head_of(const PatientRec &patient) noexcept
{
	return bucket(store()->patient_hash, static_cast<std::uint64_t>(patient.id));
}

Index &head_of(const DeviceRec &device) noexcept
{
	return bucket(store()->device_hash, hash_name(device.serial));
}

} // namespace

Index put_type(const TypeRow &row, std::uint32_t generation) noexcept
{
	Store &s = *store();
	Index i = find_type(row.name);
	if(i == 0) {
		i = take(s.types, &TypeRec::next_hash);
		if(i == 0)
			return 0;
		copy_text(s.types[i].name, name_size, row.name);
		s.types[i].used = true;
		link_hash(s.types, head_of(s.types[i]), i);
	}
	s.types[i].stale_after = row.stale_after;
	s.types[i].generation = generation;
	return i;
}

void drop_type(Index type) noexcept
{
	Store &s = *store();
	if(s.types[type].devices != 0)
		return;
	(void)put_type_limits(type, {});
	unlink_hash(s.types, head_of(s.types[type]), type);
	s.types[type].name[0] = '\0';
	s.types[type].used = false;
	give_back(s.types, type, &TypeRec::next_hash);
}

Index put_patient(const PatientRow &row, std::uint32_t generation) noexcept
{
	Store &s = *store();
	Index i = find_patient(row.id);
	if(i == 0) {
		i = take(s.patients, &PatientRec::next_hash);
		if(i == 0)
			return 0;
		s.patients[i] = PatientRec{};
		s.patients[i].id = row.id;
		link_hash(s.patients, head_of(s.patients[i]), i);
	}
	PatientRec &patient = s.patients[i];
	patient.generation = generation;
	(void)put_text(patient.name, row.name); // without room empty: counted and logged there
	(void)put_text(patient.address, row.address);
	return i;
}

void drop_patient(Index patient) noexcept
{
	Store &s = *store();
	PatientRec &gone = s.patients[patient];
	gone.generation = 0;
	if(gone.devices != 0)
		return; // the last device that lets go of it drops it
	unlink_hash(s.patients, head_of(gone), patient);
	drop_text(gone.name);
	drop_text(gone.address);
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
	link_hash(s.devices, head_of(device), i);
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

void set_type(DeviceRec &device, Index type) noexcept
{
	Store &s = *store();
	if(device.type != 0)
		--s.types[device.type].devices;
	if(type != 0)
		++s.types[type].devices;
	device.type = type;
}

void set_patient(DeviceRec &device, Index patient) noexcept
{
	Store &s = *store();
	const Index old = device.patient;
	if(patient != 0)
		++s.patients[patient].devices;
	device.patient = patient;
	if(old != 0 && --s.patients[old].devices == 0 && s.patients[old].generation == 0)
		drop_patient(old);
}

} // namespace

Index put_device(const DeviceRow &row, std::uint32_t generation) noexcept
{
	Store &s = *store();
	const Index type = find_type(row.type);
	if(type == 0)
		return 0;
	Index i = find_device(row.serial);
	if(i == 0)
		i = new_device(row.serial);
	if(i == 0)
		return 0;
	DeviceRec &device = s.devices[i];
	device.database_id = row.database_id;
	set_type(device, type);
	set_patient(device, row.patient == 0 ? 0 : find_patient(row.patient));
	device.generation = generation;
	device.collector = row.collector.empty() ? 0 : hash_name(row.collector);
	(void)put_text(device.location, row.location); // without room empty: counted and logged there
	HeardRec &heard = s.heard[i];
	heard.stale_after_ms.store(static_cast<std::uint32_t>(s.types[type].stale_after / 1000));
	if(row.enabled && !(heard.flags.load() & device_enabled))
		heard.mono.store(mono_now()); // silence counts from now
	set_flag(heard, device_enabled, row.enabled);
	if(row.seen)
		set_flag(heard, device_seen, true);
	return i;
}

bool put_type_limits(Index type, std::span<const RuleRec> rules) noexcept
{
	Store &s = *store();
	std::size_t own = 0;
	for(const Index rule : s.types[type].rule_of)
		own += rule != 0 ? 1 : 0;
	if(rules.size() > own && !has_room(s.rules, rules.size() - own, &RuleRec::next))
		return false;
	for(Index &rule : s.types[type].rule_of) {
		if(rule != 0)
			give_back(s.rules, rule, &RuleRec::next);
		rule = 0;
	}
	for(const RuleRec &from : rules) {
		if(from.metric >= max_metric_id)
			continue;
		Index &rule = s.types[type].rule_of[from.metric];
		if(rule == 0)
			rule = take(s.rules, &RuleRec::next);
		s.rules[rule] = RuleRec{from.rule, 0, from.metric, from.fields};
	}
	return true;
}

bool put_device_limits(Index device, std::span<const RuleRec> rules) noexcept
{
	Store &s = *store();
	Index &first = s.devices[device].first_rule;
	std::size_t own = 0;
	for(Index i = first; i != 0; i = s.rules[i].next)
		++own;
	if(rules.size() > own && !has_room(s.rules, rules.size() - own, &RuleRec::next))
		return false;
	while(first != 0) {
		const Index next = s.rules[first].next;
		give_back(s.rules, first, &RuleRec::next);
		first = next;
	}
	for(const RuleRec &from : rules) {
		const Index rule = take(s.rules, &RuleRec::next);
		s.rules[rule] = RuleRec{from.rule, first, from.metric, from.fields};
		first = rule;
	}
	return true;
}

namespace {

void drop_metrics(DeviceRec &device) noexcept
{
	Store &s = *store();
	const std::lock_guard<Mutex> guard(s.pool_lock);
	for(Index m = device.first_metric; m != 0;) {
		const Index next = s.metrics[m].next;
		give_back(s.metrics, m, &MetricRec::next);
		m = next;
	}
}

} // namespace

void drop_device(Index index, FeedChanges &changes)
{
	Store &s = *store();
	DeviceRec &device = s.devices[index];
	changes.device(index);
	sweep_members(index, new_mark(), changes);
	(void)put_device_limits(index, {});
	drop_metrics(device);
	set_patient(device, 0);
	set_type(device, 0);
	drop_text(device.location);
	unlink_hash(s.devices, head_of(device), index);
	s.heard[index].flags.store(0);
	new (&device) DeviceRec();
	give_back(s.devices, index, &DeviceRec::next_hash);
}

} // namespace bmd
