/// @file provision_take.cpp  Takes types, patients and devices into the store.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "provision_take.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "evaluate.hpp"
#include "fitting.hpp"
#include "forget.hpp"
#include "table.hpp"

namespace bmd {

namespace {

constexpr std::size_t cache_line = 64;

// Each take has its own: rows with another one were not found by it.
std::uint32_t types_taken = 0;
std::uint32_t patients_taken = 0;
std::uint32_t devices_taken = 0;

struct TypeWithLimits
{
	DurationUs stale_after = 0;
	std::vector<RuleRec> limits;
};

void put_type_with_limits(std::string_view name, const TypeWithLimits &type)
{
	const Index i = put_type(TypeRow{name, type.stale_after}, types_taken);
	if(i == 0)
		no_room("device type", name);
	else if(!put_type_limits(i, type.limits))
		no_room("the standard values of device type", name);
}

std::int64_t number_of(const std::string &key) noexcept
{
	std::int64_t number = 0;
	std::from_chars(key.data(), key.data() + key.size(), number);
	return number;
}

// A device and its prescribed values, gathered from as many rows, which may lie in two bundles.
class DeviceInHand
{
public:
	explicit DeviceInHand(FeedChanges &changes) : changes_(changes) {}
	void row(const PgFields &fields)
	{
		if(const auto id = fields.integer(0); !held_ || id != row_.database_id)
			hold(device_of(fields));
		if(!fields.null(first_limit))
			limits_.push_back(rule_of(fields, first_limit));
	}
	// Caller holds the lock.
	void put()
	{
		if(!held_)
			return;
		held_ = false;
		Store &s = *store();
		const Index known = find_device(row_.serial);
		if(known != 0)
			s.devices[known].generation = devices_taken; // found, whatever becomes of it
		if(find_type(row_.type) == 0)
			return; // newer than the types read, its change comes; or without room, which was said
		if(known != 0)
			end_what_was(known);
		const Index type = known == 0 ? 0 : s.devices[known].type;
		const Index patient = known == 0 ? 0 : s.devices[known].patient;
		const Index device = put_device(row_, devices_taken);
		if(device == 0)
			return no_room("device", row_.serial);
		const bool other_type = type != 0 && s.devices[device].type != type;
		types_changed_ = types_changed_ || other_type;
		if(other_type || (known != 0 && s.devices[device].patient != patient))
			changes_.all_of(device); // what policies say of it may be another thing
		if(!put_device_limits(device, limits_))
			no_room("the prescribed values of device", row_.serial);
		if(s.devices[device].first_metric != 0)
			judge_again(device);
	}
	/// A device that was there has become one of another type.
	[[nodiscard]] bool types_changed() const noexcept { return types_changed_; }

private:
	// Before the row is taken: what ends is told with the words of whom it belonged to.
	void end_what_was(Index device) const
	{
		const bool patient = row_.patient != 0 && find_patient(row_.patient) != 0;
		const Belonging now{row_.database_id, patient ? row_.patient : 0};
		const std::string_view why = why_other(belonging_of(device), now, row_.enabled);
		if(!why.empty())
			forget_device(device, why);
	}
	void hold(const DeviceRow &row)
	{
		put();
		held_ = true;
		limits_.clear();
		row_ = row;
		keep(serial_, row_.serial);
		keep(type_, row_.type);
		keep(location_, row_.location);
		keep(collector_, row_.collector);
	}
	static void keep(std::string &own, std::string_view &view)
	{
		own = view;
		view = own;
	}

	FeedChanges &changes_;
	bool held_ = false;
	bool types_changed_ = false;
	DeviceRow row_;
	std::string serial_, type_, location_, collector_;
	std::vector<RuleRec> limits_;
};

// The watchers of its feeds learn it from a full state: the device is no longer there to be told
// of.
void remove_device(Index device, FeedChanges &changes)
{
	forget_device(device, "removed");
	drop_device(device, changes);
}

} // namespace

void expect_devices(std::span<const PgFields> rows, std::size_t field) noexcept
{
	Store &s = *store();
	const auto head = [&](const PgFields &row) -> const Index & {
		return bucket(s.device_hash, hash_name(row.text(field)));
	};
	for(const PgFields &row : rows)
		__builtin_prefetch(&head(row));
	for(const PgFields &row : rows) {
		const auto *const record = reinterpret_cast<const char *>(&s.devices[head(row)]);
		for(std::size_t at = 0; at < sizeof(DeviceRec); at += cache_line)
			__builtin_prefetch(record + at);
	}
}

void no_room(std::string_view what, std::string_view name)
{
	complain(count_rows_lost_memory, "provisioning: no room for " + std::string(what) + " "
											 + std::string(name)
											 + ": raise the module's size parameters");
}

Result<bool> take_types(Pg &pg, const Keys &names)
{
	std::map<std::string, TypeWithLimits, std::less<>> types;
	auto read = stream_rows(pg, types_query(pg, names), [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			types[std::string(row.text(0))].stale_after = type_of(row).stale_after;
	});
	if(!read)
		return read;
	read = stream_rows(pg, type_limits_query(pg, names), [&](std::span<const PgFields> rows) {
		for(const PgFields &row : rows)
			if(const auto type = types.find(row.text(0)); type != types.end())
				type->second.limits.push_back(rule_of(row, 1));
	});
	if(!read)
		return read;
	++types_taken;
	RegistryWrite lock;
	for(const auto &[name, type] : types) {
		put_type_with_limits(name, type);
		lock.breathe();
	}
	return true;
}

Result<bool> take_patients(Pg &pg, const Keys &ids)
{
	++patients_taken;
	return stream_rows(pg, patients_query(pg, ids), [](std::span<const PgFields> rows) {
		RegistryWrite lock;
		for(const PgFields &row : rows) {
			const PatientRow patient = patient_of(row);
			if(put_patient(patient, patients_taken) == 0)
				no_room("patient", std::to_string(patient.id));
			lock.breathe();
		}
	});
}

Result<bool> take_devices(Pg &pg, const Keys &serials, FeedChanges &changes)
{
	++devices_taken;
	DeviceInHand device(changes);
	auto read = stream_rows(pg, devices_query(pg, serials), [&](std::span<const PgFields> rows) {
		RegistryWrite lock;
		expect_devices(rows, 1);
		for(const PgFields &row : rows) {
			device.row(row);
			lock.breathe();
		}
	});
	if(!read)
		return read; // the one in hand may lack limits: it stays as it was
	{
		const RegistryWrite lock;
		device.put();
	}
	if(device.types_changed())
		refresh_filtered();
	return true;
}

void sweep_devices(const Keys &serials, FeedChanges &changes)
{
	Store &s = *store();
	RegistryWrite lock;
	const auto look = [&](Index i) {
		if(i != 0 && s.devices[i].serial[0] != '\0' && s.devices[i].generation != devices_taken)
			remove_device(i, changes);
		lock.breathe();
	};
	for(const std::string &serial : serials)
		look(find_device(serial));
	for(Index i = 1; serials.empty() && i <= s.devices.used; ++i)
		look(i);
}

void sweep_patients(const Keys &ids)
{
	Store &s = *store();
	RegistryWrite lock;
	const auto look = [&](Index i) {
		if(i != 0 && s.patients[i].id != 0 && s.patients[i].generation != patients_taken)
			drop_patient(i);
		lock.breathe();
	};
	for(const std::string &id : ids)
		look(find_patient(number_of(id)));
	for(Index i = 1; ids.empty() && i <= s.patients.used; ++i)
		look(i);
}

void sweep_types(const Keys &names)
{
	Store &s = *store();
	RegistryWrite lock;
	for(Index i = 1; i <= s.types.used; ++i) {
		const bool asked = names.empty()
						   || std::find(names.begin(), names.end(), s.types[i].name) != names.end();
		if(asked && s.types[i].used && s.types[i].generation != types_taken)
			drop_type(i);
	}
}

void judge_types(const Keys &names)
{
	constexpr Index piece = 500; // devices looked at before a writer may get in
	Store &s = *store();
	for(Index from = 1; from <= s.devices.used; from += piece) {
		const std::shared_lock<RwLock> registry(s.registry_lock);
		for(Index i = from; i < from + piece && i <= s.devices.used; ++i) {
			const TypeRec &type = s.types[s.devices[i].type];
			if(s.devices[i].type == 0
					|| (!names.empty()
							&& std::find(names.begin(), names.end(), type.name) == names.end()))
				continue;
			s.heard[i].stale_after_ms.store(static_cast<std::uint32_t>(type.stale_after / 1000));
			if(s.devices[i].first_metric == 0)
				continue;
			const std::lock_guard<Mutex> guard(s.stripe[i % stripes]);
			judge_again(i);
		}
	}
}

} // namespace bmd
