/// @file provision.cpp  Which changes of provisioning make what be read again.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "provision.hpp"

#include <algorithm>
#include <set>

#include "duty_text.hpp"
#include "provision_take.hpp"

namespace bmd {

namespace {

constexpr std::size_t keys_at_once = 500;
constexpr std::size_t most_keys = 20'000; // of one kind; above, the whole table is read

// Keys of one kind of row.
struct Wanted
{
	std::set<std::string> keys;
	bool all = false;

	void add(const std::string &key)
	{
		all = all || key == "*" || keys.size() >= most_keys;
		if(!all)
			keys.insert(key);
	}
	[[nodiscard]] bool any() const { return all || !keys.empty(); }

	/// Calls `work` with pieces of the keys, or once with none for all.
	template <class Work> Result<bool> each(Work work) const
	{
		if(all)
			return work(Keys{});
		for(auto at = keys.begin(); at != keys.end();) {
			Keys piece;
			for(; at != keys.end() && piece.size() < keys_at_once; ++at)
				piece.push_back(*at);
			if(auto done = work(piece); !done)
				return done;
		}
		return true;
	}
};

struct Todo
{
	Wanted types;
	Wanted patients;
	Wanted devices;
	Wanted people;  ///< what they may watch and their personal feeds
	Wanted members; ///< feeds of devices, by serial number
	bool settings = false;
	bool windows = false;
	bool duty = false; ///< teams, rosters, policies
	bool watchers = false;
	bool policy = false;
	bool filters = false; ///< the rules that filters name
	Wanted credentials;
	Wanted encryption;
};

void note_assignment(Todo &todo, const std::string &key)
{
	todo.duty = todo.duty || key == "*" || key.starts_with("grp.");
	if(key.starts_with("dev."))
		return todo.members.add(key.substr(4));
	if(key.starts_with("grp."))
		return;
	todo.people.add(key);
	todo.members.all = todo.members.all || key == "*";
}

bool is_of_duty(const std::string &table)
{
	return table.starts_with("bmd_roster") || table.starts_with("bmd_escalation_")
		   || table == "bmd_setting" || table == "bmd_team" || table == "bmd_team_member"
		   || table == "bmd_technician" || table == "bmd_group" || table == "bmd_device_type";
}

// Names that rules refer to may have changed, and the members of teams.
bool is_of_watchers(const std::string &table)
{
	return table == "bmd_watcher_rule" || table == "bmd_team" || table == "bmd_team_member"
		   || table == "bmd_technician" || table == "bmd_group" || table == "bmd_device_type";
}

bool is_of_policy(const std::string &table)
{
	return table.starts_with("bmd_policy_") || table.starts_with("bmd_role") || table == "bmd_area"
		   || table == "bmd_setting" || is_of_watchers(table);
}

// As above: what the rules name.
bool is_of_filters(const std::string &table)
{
	return table == "bmd_filter_rule" || table == "bmd_group" || table == "bmd_area"
		   || table == "bmd_device_type";
}

void note(Todo &todo, const ProvisioningChange &change)
{
	const std::string &table = change.table;
	todo.duty = todo.duty || is_of_duty(table);
	todo.watchers = todo.watchers || is_of_watchers(table);
	todo.policy = todo.policy || is_of_policy(table);
	todo.filters = todo.filters || is_of_filters(table);
	if(table == "bmd_device_type" || table == "bmd_type_limit")
		todo.types.add(change.key);
	else if(table == "bmd_setting")
		todo.settings = true;
	else if(table == "bmd_maintenance")
		todo.windows = true;
	else if(table == "bmd_patient")
		todo.patients.add(change.key);
	else if(table == "bmd_device_limit")
		todo.devices.add(change.key);
	else if(table == "bmd_group_device" || table == "bmd_area_device")
		todo.members.add(change.key);
	else if(table == "subscriber")
		todo.credentials.add(change.key);
	else if(table == "bmd_encryption")
		todo.encryption.add(change.key);
	else if(table == "bmd_assignment")
		note_assignment(todo, change.key);
	else if(table == "bmd_device") {
		todo.devices.add(change.key);
		todo.members.add(change.key);
	} else if(table == "bmd_technician" || table == "bmd_team_member") {
		todo.people.add(change.key);
		todo.members.all = todo.members.all || change.key == "*";
	}
	// bmd_group, bmd_team: for feeds, what they mean follows from the rows that refer to them.
}

// What is referred to comes first and goes last.
Result<bool> take_rows(Pg &pg, const Todo &todo, FeedChanges &changes)
{
	auto done = todo.types.each([&](const Keys &keys) { return take_types(pg, keys); });
	if(!done)
		return done;
	// In pieces taken and swept one by one: a patient that is gone stays for the devices that
	// still refer to it, and goes with the last of them.
	done = todo.patients.each([&](const Keys &keys) {
		auto taken = take_patients(pg, keys);
		if(taken)
			sweep_patients(keys);
		return taken;
	});
	if(!done)
		return done;
	done = todo.devices.each([&](const Keys &keys) {
		auto taken = take_devices(pg, keys, changes);
		if(taken)
			sweep_devices(keys, changes);
		return taken;
	});
	if(!done)
		return done;
	return todo.types.each([&](const Keys &keys) {
		sweep_types(keys);
		if(!todo.devices.all)
			judge_types(keys);
		return Result<bool>(true);
	});
}

Result<bool> take_feeds(Pg &pg, const Todo &todo, FeedChanges &changes)
{
	// Who may watch a feed from now on finds its devices there.
	auto done =
			todo.members.each([&](const Keys &keys) { return take_members(pg, keys, changes); });
	if(!done)
		return done;
	return todo.people.each([&](const Keys &keys) { return take_people(pg, keys, changes); });
}

Result<bool> take(Pg &pg, const Todo &todo)
{
	FeedChanges changes;
	auto done = todo.settings ? take_settings(pg) : Result<bool>(true);
	// before anything is told to whom it may be told encrypted only
	if(done)
		done = todo.encryption.each([&](const Keys &keys) { return take_encryption(pg, keys); });
	if(done)
		done = take_rows(pg, todo, changes);
	changes.tell(); // also when the database failed: what was taken is in force
	// Teams before the memberships that name them; escalation looks again when both are there.
	if(done && todo.duty)
		done = take_duty(pg);
	if(!done)
		return done;
	done = take_feeds(pg, todo, changes);
	changes.tell();
	if(done && todo.duty && (todo.members.any() || todo.people.any()))
		look_at_duty_again();
	if(done && todo.windows)
		done = take_windows(pg);
	if(done && todo.watchers)
		done = take_watcher_rules(pg);
	if(done && todo.policy)
		done = take_policy(pg);
	if(done && todo.filters)
		done = take_filter_rules(pg);
	if(!done)
		return done;
	return todo.credentials.each([&](const Keys &keys) { return take_credentials(pg, keys); });
}

} // namespace

namespace {

// Up to which transactions the store holds everything, and of which run of which server.  Numbers
// of transactions mean nothing to another one, such as a replica that was promoted.
struct Position
{
	std::string server;
	std::string snapshot;
	TimeUs at = 0; ///< monotonic; 0: none
};
Position position;

constexpr TimeUs changes_kept = 12 * 3600 * second_us; // bmd_change keeps a day

Result<Position> read_position(Pg &pg)
{
	auto row = pg.run("SELECT pg_postmaster_start_time(), pg_current_snapshot()");
	if(!row)
		return row.error();
	return Position{PQgetvalue(row->get(), 0, 0), PQgetvalue(row->get(), 0, 1), mono_now()};
}

// One snapshot, so that what refers to each other is there together.
Result<bool> begin_reading(Pg &pg)
{
	auto begun = pg.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
	return begun ? Result<bool>(true) : begun.error();
}

Result<bool> read_changes(Pg &pg, std::vector<ProvisioningChange> &changes)
{
	// The snapshot is made of digits, colons and commas.
	const std::string since = "'" + position.snapshot + "'::pg_snapshot";
	return stream_rows(pg,
			"SELECT DISTINCT table_name, key FROM bmd_change WHERE xact >= pg_snapshot_xmin("
					+ since + ") AND NOT pg_visible_in_snapshot(xact, " + since + ")",
			[&](std::span<const PgFields> rows) {
				for(const PgFields &row : rows)
					changes.push_back({std::string(row.text(0)), std::string(row.text(1))});
			});
}

} // namespace

Result<bool> apply_changes(Pg &pg, const std::vector<ProvisioningChange> &changes)
{
	Todo todo;
	for(const ProvisioningChange &change : changes)
		note(todo, change);
	if(auto begun = begin_reading(pg); !begun)
		return begun;
	if(auto done = take(pg, todo); !done)
		return done;
	if(auto end = pg.run("COMMIT"); !end)
		return end.error();
	count(count_sync_changes, changes.size());
	return true;
}

Result<bool> reload(Pg &pg)
{
	if(auto begun = begin_reading(pg); !begun)
		return begun;
	if(auto set = pg.run("SET LOCAL work_mem = '64MB'"); !set)
		return set.error();
	auto now = read_position(pg);
	if(!now)
		return now.error();
	Todo todo;
	for(Wanted *wanted : {&todo.types, &todo.patients, &todo.devices, &todo.people, &todo.members,
				&todo.credentials, &todo.encryption})
		wanted->all = true;
	todo.settings = todo.windows = todo.duty = todo.watchers = todo.policy = todo.filters = true;
	if(auto done = take(pg, todo); !done)
		return done;
	if(auto end = pg.run("COMMIT"); !end)
		return end.error();
	position = *now;
	return true;
}

Result<bool> catch_up(Pg &pg)
{
	auto now = read_position(pg);
	if(!now)
		return now.error();
	if(position.at == 0 || now->server != position.server
			|| mono_now() - position.at > changes_kept)
		return reload(pg);
	std::vector<ProvisioningChange> changes;
	if(auto read = read_changes(pg, changes); !read)
		return read;
	if(auto done = apply_changes(pg, changes); !done)
		return done;
	position = *now;
	return true;
}

} // namespace bmd
