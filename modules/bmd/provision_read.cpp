/// @file provision_read.cpp  Reads provisioning out of the database into rows.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "provision_read.hpp"

#include <cmath>
#include <limits>

namespace bmd {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string text(const PgRow &row, std::size_t i)
{
	return row.at(i).value_or("");
}

std::int64_t integer(const PgRow &row, std::size_t i)
{
	return row.at(i) ? std::stoll(*row.at(i)) : 0;
}

double number(const PgRow &row, std::size_t i, double absent)
{
	return row.at(i) ? std::stod(*row.at(i)) : absent;
}

bool truth(const PgRow &row, std::size_t i)
{
	return row.at(i) == "t";
}

// A literal for a query of COPY, which takes no parameters.
std::string quoted(Pg &pg, const std::string &value)
{
	char *literal = PQescapeLiteral(pg.raw(), value.data(), value.size());
	const std::unique_ptr<char, void (*)(void *)> guard(literal, PQfreemem);
	return literal == nullptr ? "NULL" : literal;
}

std::string where(Pg &pg, const char *column, const std::string &key)
{
	return key.empty() ? "" : " WHERE " + std::string(column) + " = " + quoted(pg, key);
}

template <class Row>
Result<std::vector<Row>> read(
		Pg &pg, const std::string &query, const std::function<void(const PgRow &, Row &)> &fill)
{
	std::vector<Row> rows;
	auto done = pg.copy_out(query, [&](const PgRow &row) { fill(row, rows.emplace_back()); });
	if(!done)
		return done.error();
	return rows;
}

constexpr const char *limit_columns = "metric_id, low, high, hysteresis, (extract(epoch FROM "
									  "delay) * 1000000)::bigint, priority, "
									  "latching";

// Columns 1.. as of limit_columns; absent ones stay as they are.
void fill_limit(const PgRow &row, LimitRow &limit)
{
	limit.owner = text(row, 0);
	limit.metric = static_cast<MetricId>(integer(row, 1));
	limit.rule.low = number(row, 2, -infinity);
	limit.rule.high = number(row, 3, infinity);
	limit.rule.hysteresis = number(row, 4, 0.0);
	limit.rule.delay = integer(row, 5);
	limit.rule.priority = parse_priority(text(row, 6)).value_or(Priority::high);
	limit.rule.latching = truth(row, 7);
	for(std::size_t i = 0; i < 6; ++i)
		if(row.at(i + 2))
			limit.fields |= static_cast<std::uint8_t>(1U << i); // RuleField, in this order
}

} // namespace

Result<std::vector<TypeRow>> read_types(Pg &pg, const std::string &name)
{
	return read<TypeRow>(pg,
			"SELECT type_name, (extract(epoch FROM stale_after) * 1000000)::bigint "
			"FROM bmd_device_type"
					+ where(pg, "type_name", name),
			[](const PgRow &row, TypeRow &type) {
				type.name = text(row, 0);
				type.stale_after = integer(row, 1);
			});
}

Result<std::vector<LimitRow>> read_type_limits(Pg &pg, const std::string &type)
{
	return read<LimitRow>(pg,
			"SELECT type_name, " + std::string(limit_columns)
					+ " FROM bmd_type_limit l JOIN (SELECT metric_id, name FROM bmd_metric) m "
					  "ON m.name = l.metric"
					+ where(pg, "type_name", type),
			fill_limit);
}

Result<std::vector<LimitRow>> read_device_limits(Pg &pg, const std::string &serial)
{
	return read<LimitRow>(pg,
			"SELECT serial, " + std::string(limit_columns)
					+ " FROM bmd_device_limit l JOIN (SELECT metric_id, name FROM bmd_metric) m "
					  "ON m.name = l.metric"
					+ where(pg, "serial", serial),
			fill_limit);
}

Result<std::vector<PatientRow>> read_patients(Pg &pg, const std::string &id)
{
	return read<PatientRow>(pg,
			"SELECT patient_id, name, address FROM bmd_patient" + where(pg, "patient_id", id),
			[](const PgRow &row, PatientRow &patient) {
				patient.id = integer(row, 0);
				patient.name = text(row, 1);
				patient.address = text(row, 2);
			});
}

Result<std::vector<DeviceRow>> read_devices(Pg &pg, const std::string &serial)
{
	return read<DeviceRow>(pg,
			"SELECT d.device_id, d.serial, d.type_name, d.location, d.patient_id, d.enabled, "
			"s.device_id IS NOT NULL, d.collector FROM bmd_device d "
			"LEFT JOIN bmd_device_seen s ON s.device_id = d.device_id"
					+ where(pg, "d.serial", serial),
			[](const PgRow &row, DeviceRow &device) {
				device.database_id = static_cast<std::int32_t>(integer(row, 0));
				device.serial = text(row, 1);
				device.type = text(row, 2);
				device.location = text(row, 3);
				device.patient = integer(row, 4);
				device.enabled = truth(row, 5);
				device.seen = truth(row, 6);
				device.collector = text(row, 7);
			});
}

Result<std::vector<MemberRow>> read_members(Pg &pg)
{
	return read<MemberRow>(pg,
			"SELECT username, serial FROM bmd_responsible UNION ALL "
			"SELECT 'grp.' || group_name, serial FROM bmd_group_device",
			[](const PgRow &row, MemberRow &member) {
				member.feed = text(row, 0);
				member.serial = text(row, 1);
			});
}

Result<std::vector<WatcherRow>> read_watchers(Pg &pg)
{
	return read<WatcherRow>(pg,
			"SELECT username, feed FROM bmd_feed_watcher WHERE feed NOT LIKE 'dev.%'",
			[](const PgRow &row, WatcherRow &watcher) {
				watcher.username = text(row, 0);
				watcher.feed = text(row, 1);
			});
}

namespace {

// "(extract(epoch FROM x) * 1000000)::bigint" of each time of an alert.
std::string microseconds(const char *column)
{
	return ", (extract(epoch FROM " + std::string(column) + ") * 1000000)::bigint";
}

void fill_alert(const PgRow &row, AlertRec &alert)
{
	alert = AlertRec{};
	alert.id = parse_uuid(text(row, 0)).value_or(Uuid{});
	const std::string serial = text(row, 1);
	serial.copy(alert.serial, name_size - 1);
	alert.metric = static_cast<MetricId>(integer(row, 2));
	alert.condition = parse_condition(text(row, 3)).value_or(Condition::device);
	alert.kind = parse_kind(text(row, 4)).value_or(AlertKind::technical);
	alert.priority = parse_priority(text(row, 5)).value_or(Priority::high);
	alert.state = parse_state(text(row, 6)).value_or(AlertState::active);
	alert.value = number(row, 7, std::nan(""));
	alert.limit = number(row, 8, std::nan(""));
	alert.revision = static_cast<std::uint32_t>(integer(row, 9));
	alert.measured_at = integer(row, 10);
	alert.arrived_at = integer(row, 11);
	alert.onset_at = integer(row, 12);
	alert.raised_at = integer(row, 13);
	alert.changed_at = integer(row, 14);
}

} // namespace

Result<std::vector<AlertRec>> read_open_alerts(Pg &pg)
{
	std::string query =
			"SELECT alert_id, serial, metric_id, condition, kind, priority, state, value, "
			"limit_value, revision";
	for(const char *column : {"measured_at", "arrived_at", "onset_at", "raised_at", "changed_at"})
		query += microseconds(column);
	return read<AlertRec>(pg,
			query + " FROM bmd_alert WHERE state <> 'cleared' ORDER BY state DESC, raised_at",
			fill_alert);
}

Result<std::vector<CollectorRow>> read_collectors(Pg &pg)
{
	return read<CollectorRow>(pg,
			"SELECT collector_id, collector, epoch, durable_seq FROM bmd_collector_state",
			[](const PgRow &row, CollectorRow &collector) {
				collector.database_id = static_cast<std::int32_t>(integer(row, 0));
				collector.name = text(row, 1);
				collector.epoch = integer(row, 2);
				collector.seq = integer(row, 3);
			});
}

Result<std::vector<SubscriptionRow>> read_subscriptions(Pg &pg)
{
	auto there = pg.run("SELECT to_regclass('active_watchers') IS NOT NULL");
	if(!there)
		return there.error();
	if(PQgetvalue(there->get(), 0, 0)[0] != 't')
		return std::vector<SubscriptionRow>{};
	return read<SubscriptionRow>(pg,
			"SELECT substring(presentity_uri FROM '^sips?:([^@]+)@'), "
			"watcher_username, expires - extract(epoch FROM now())::int FROM active_watchers "
			"WHERE event = 'bmd-alert' AND expires > extract(epoch FROM now())",
			[](const PgRow &row, SubscriptionRow &subscription) {
				subscription.resource = text(row, 0);
				subscription.user = text(row, 1);
				subscription.seconds = integer(row, 2);
			});
}

} // namespace bmd
