/// @file provision_read.cpp  What provisioning is asked of the database, and what its rows mean.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "provision_read.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "bmd/code.hpp"

namespace bmd {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// A literal for a query of COPY, which takes no parameters.
std::string quoted(Pg &pg, const std::string &value)
{
	char *literal = PQescapeLiteral(pg.raw(), value.data(), value.size());
	const std::unique_ptr<char, void (*)(void *)> guard(literal, PQfreemem);
	return literal == nullptr ? "NULL" : literal;
}

// `word` is WHERE or AND.
std::string among(Pg &pg, const char *word, const char *column, const Keys &keys)
{
	if(keys.empty())
		return {};
	std::string text = " " + std::string(word) + " " + column + " IN (";
	for(const std::string &key : keys)
		text += quoted(pg, key) + ",";
	text.back() = ')';
	return text;
}

constexpr const char *limit_columns =
		", m.metric_id, l.low, l.high, l.hysteresis, l.delay, l.priority, l.latching, "
		"l.low_low, l.high_high, l.rises_after, l.most_per_hour";

} // namespace

std::string types_query(Pg &pg, const Keys &names)
{
	return "SELECT type_name, stale_after FROM bmd_device_type"
		   + among(pg, "WHERE", "type_name", names);
}

std::string type_limits_query(Pg &pg, const Keys &types)
{
	return "SELECT l.type_name" + std::string(limit_columns)
		   + " FROM bmd_type_limit l JOIN bmd_metric m ON m.name = l.metric"
		   + among(pg, "WHERE", "l.type_name", types);
}

std::string patients_query(Pg &pg, const Keys &ids)
{
	return "SELECT patient_id, name, address FROM bmd_patient"
		   + among(pg, "WHERE", "patient_id", ids);
}

std::string devices_query(Pg &pg, const Keys &serials)
{
	return "SELECT d.device_id, d.serial, d.type_name, d.location, d.patient_id, d.enabled, "
		   "s.device_id IS NOT NULL, d.collector"
		   + std::string(limit_columns)
		   + " FROM bmd_device d LEFT JOIN bmd_device_seen s ON s.device_id = d.device_id "
			 "LEFT JOIN (bmd_device_limit l JOIN bmd_metric m ON m.name = l.metric) "
			 "ON l.serial = d.serial"
		   + among(pg, "WHERE", "d.serial", serials) + " ORDER BY d.device_id";
}

std::string members_query(Pg &pg, const Keys &serials)
{
	return "SELECT username, serial FROM bmd_responsible" + among(pg, "WHERE", "serial", serials)
		   + " UNION ALL SELECT 'grp.' || group_name, serial FROM bmd_group_device"
		   + among(pg, "WHERE", "serial", serials)
		   + " UNION ALL SELECT '@' || t.team_id, a.serial FROM bmd_assignment a "
			 "JOIN bmd_team t USING (team_name) WHERE a.serial IS NOT NULL"
		   + among(pg, "AND", "a.serial", serials)
		   + " UNION ALL SELECT '#' || area_name, serial FROM bmd_area_device"
		   + among(pg, "WHERE", "serial", serials);
}

std::string person_members_query(Pg &pg, const std::string &username)
{
	return "SELECT username, serial FROM bmd_responsible"
		   + among(pg, "WHERE", "username", {username});
}

// As bmd_feed_watcher, but without the feeds of devices: those follow from the memberships, and
// may be millions.
std::string permits_query(Pg &pg, const Keys &usernames)
{
	return "SELECT username, username AS feed FROM bmd_technician WHERE enabled"
		   + among(pg, "AND", "username", usernames)
		   + " UNION SELECT a.username, 'grp.' || a.group_name FROM bmd_assignment a "
			 "JOIN bmd_technician t ON t.username = a.username AND t.enabled "
			 "WHERE a.group_name IS NOT NULL"
		   + among(pg, "AND", "a.username", usernames)
		   + " UNION SELECT m.username, 'grp.' || a.group_name FROM bmd_assignment a "
			 "JOIN bmd_team_member m ON m.team_name = a.team_name "
			 "JOIN bmd_technician t ON t.username = m.username AND t.enabled "
			 "WHERE a.group_name IS NOT NULL"
		   + among(pg, "AND", "m.username", usernames) + " ORDER BY 1";
}

std::string credentials_query(Pg &pg, const std::string &domain, const Keys &usernames)
{
	return "SELECT username, ha1, ha1b, ha1_sha256, ha1b_sha256 FROM subscriber WHERE domain = "
		   + quoted(pg, domain) + among(pg, "AND", "username", usernames);
}

std::string encryption_query(Pg &pg, const Keys &usernames)
{
	return "SELECT username, certificate, encrypted_only FROM bmd_encryption"
		   + among(pg, "WHERE", "username", usernames);
}

// The latched ones first, so that an active one takes its metric's place; the cleared ones that may
// come back in the order of their end.  Of the open ones at most one more than there is room for,
// so that it is noticed: the most urgent, then the newest, last what is suppressed.
std::string unclosed_alerts_query(std::size_t room)
{
	return "SELECT alert_id, serial, metric_id, condition, kind, priority, state, value, "
		   "limit_value, revision, measured_at, arrived_at, onset_at, raised_at, changed_at, "
		   "device_id, patient_id, cleared_at, code, response, answered_by, answered_at, taken_at, "
		   "step, silenced_until, suppressed, mutes, outcome, priority_before, risen, rises_at, "
		   "part_of "
		   "FROM bmd_alert WHERE closed_at IS NULL AND (state = 'cleared' OR alert_id IN "
		   "(SELECT alert_id FROM bmd_alert WHERE closed_at IS NULL AND state <> 'cleared' "
		   "ORDER BY suppressed <> 'none', priority <> 'high', raised_at DESC LIMIT "
		   + std::to_string(room + 1)
		   + ")) ORDER BY state = 'cleared', state DESC, coalesce(cleared_at, raised_at)";
}

// Collectors send again what was not durable: hardly more than the last hour.
std::string closed_alerts_query()
{
	return "SELECT alert_id, revision FROM bmd_alert WHERE closed_at > now() - interval '1 hour' "
		   "AND raised_at > now() - interval '1 day' ORDER BY closed_at DESC LIMIT 100000";
}

std::string settings_query()
{
	return "SELECT name, value FROM bmd_setting";
}

std::string windows_query()
{
	return "SELECT maintenance_id, starts_at, ends_at, serial, type_name, group_name, who, why "
		   "FROM bmd_maintenance WHERE ends_at > now()";
}

std::string collectors_query()
{
	return "SELECT collector_id, collector, epoch, durable_seq FROM bmd_collector_state";
}

std::string subscriptions_query()
{
	return "SELECT substring(presentity_uri FROM '^sips?:([^@]+)@'), watcher_username, "
		   "expires - extract(epoch FROM now())::int, event = 'bmd-alert.winfo' "
		   "FROM active_watchers WHERE event IN ('bmd-alert', 'bmd-alert.winfo') AND expires > "
		   "extract(epoch FROM now())";
}

TypeRow type_of(const PgFields &row) noexcept
{
	return TypeRow{row.text(0), row.duration(1)};
}

RuleRec rule_of(const PgFields &row, std::size_t first) noexcept
{
	RuleRec rec;
	rec.metric = static_cast<MetricId>(row.integer(first));
	rec.rule.low = row.number(first + 1, -infinity);
	rec.rule.high = row.number(first + 2, infinity);
	rec.rule.hysteresis = row.number(first + 3, 0.0);
	rec.rule.delay = row.duration(first + 4);
	rec.rule.priority = parse_priority(row.text(first + 5)).value_or(Priority::high);
	rec.rule.latching = row.truth(first + 6);
	rec.rule.low_low = row.number(first + 7, -infinity);
	rec.rule.high_high = row.number(first + 8, infinity);
	rec.rule.rises_after = static_cast<std::uint32_t>(row.duration(first + 9) / second_us);
	rec.rule.most_per_hour = static_cast<std::uint16_t>(row.integer(first + 10));
	for(std::size_t i = 0; i < 10; ++i)
		if(!row.null(first + 1 + i))
			rec.fields |= static_cast<std::uint16_t>(1U << i); // RuleField, in this order
	return rec;
}

PatientRow patient_of(const PgFields &row) noexcept
{
	return PatientRow{row.integer(0), row.text(1), row.text(2)};
}

DeviceRow device_of(const PgFields &row) noexcept
{
	DeviceRow device;
	device.database_id = static_cast<std::int32_t>(row.integer(0));
	device.serial = row.text(1);
	device.type = row.text(2);
	device.location = row.text(3);
	device.patient = row.integer(4);
	device.enabled = row.truth(5);
	device.seen = row.truth(6);
	device.collector = row.text(7);
	return device;
}

namespace {

ResponseState response_of(const PgFields &row, std::size_t first) noexcept
{
	ResponseState state;
	state.response = parse_response(row.text(first)).value_or(Response::none);
	copy_text(state.by, answerer_size, row.text(first + 1));
	state.at = row.time(first + 2);
	state.taken_at = row.time(first + 3);
	state.step = static_cast<std::uint8_t>(row.integer(first + 4));
	state.silenced_until = row.time(first + 5);
	state.suppressed = parse_suppression(row.text(first + 6)).value_or(Suppression::none);
	state.outcome = parse_outcome(row.text(first + 8)).value_or(Outcome::none);
	return state;
}

} // namespace

AlertRec alert_of(const PgFields &row) noexcept
{
	AlertRec alert{};
	if(row.text(0).size() == alert.id.size())
		std::memcpy(alert.id.data(), row.text(0).data(), alert.id.size());
	copy_text(alert.serial, name_size, row.text(1));
	alert.metric = static_cast<MetricId>(row.integer(2));
	alert.condition = parse_condition(row.text(3)).value_or(Condition::device);
	alert.kind = parse_kind(row.text(4)).value_or(AlertKind::technical);
	alert.priority = parse_priority(row.text(5)).value_or(Priority::high);
	alert.state = parse_state(row.text(6)).value_or(AlertState::active);
	alert.value = row.number(7, std::nan(""));
	alert.limit = row.number(8, std::nan(""));
	alert.revision = static_cast<std::uint32_t>(row.integer(9));
	alert.measured_at = row.time(10);
	alert.arrived_at = row.time(11);
	alert.onset_at = row.time(12);
	alert.raised_at = row.time(13);
	alert.changed_at = row.time(14);
	alert.patient = row.integer(16);
	alert.cleared_at = row.time(17);
	alert.code = parse_code(row.text(18));
	alert.response = response_of(row, 19);
	alert.mutes = static_cast<std::uint32_t>(row.integer(26));
	alert.priority_before = parse_priority(row.text(28)).value_or(Priority{});
	alert.risen = static_cast<std::uint8_t>(row.integer(29));
	alert.silence_ends = monotonic_of(alert.response.silenced_until);
	alert.rises_at = monotonic_of(row.time(30));
	return alert;
}

WindowRec window_of(const PgFields &row) noexcept
{
	WindowRec window{};
	if(row.text(0).size() == window.id.size())
		std::memcpy(window.id.data(), row.text(0).data(), window.id.size());
	window.from = row.time(1);
	window.until = row.time(2);
	window.scope = !row.null(3)   ? WindowScope::device
				   : !row.null(4) ? WindowScope::type
				   : !row.null(5) ? WindowScope::group
								  : WindowScope::everything;
	copy_text(window.name, name_size,
			!row.null(3)   ? row.text(3)
			: !row.null(4) ? row.text(4)
						   : row.text(5));
	copy_text(window.who, name_size, row.text(6));
	copy_text(window.why, window_why_size, row.text(7));
	return window;
}

} // namespace bmd
