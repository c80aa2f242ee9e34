#!/bin/bash
# sql_upgrade.sh - a database of an earlier version with data in it takes the later migrations.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
. "$(dirname "$0")/../lib/database.sh"
database_begin

before=16 # the last version without answers, rosters and escalation
mkdir "$scratch/earlier"
for file in "$top"/sql/[0-9][0-9][0-9][0-9]_*.sql; do
	name=${file##*/}
	[ "$((10#${name%%_*}))" -gt "$before" ] || cp "$file" "$scratch/earlier/"
done
"$top/tools/bmd-migrate/bmd-migrate" --kamailio-schema /usr/share/kamailio/postgres --sql "$scratch/earlier" > "$scratch/earlier.log" 2>&1 ||
	not_ok "the earlier version is there" "$(tail -n 3 "$scratch/earlier.log")"
sql "SELECT bmd_grant_server('kamailio');
	INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('T', '10 s');
	INSERT INTO bmd_device (serial, type_name) VALUES ('D1', 'T');
	INSERT INTO bmd_technician (username) VALUES ('t1');
	SELECT bmd_set_password('t1', 'bmd.example', 'an earlier password');
	INSERT INTO bmd_team (team_name) VALUES ('night');
	INSERT INTO bmd_team_member (team_name, username) VALUES ('night', 't1');
	INSERT INTO bmd_assignment (team_name, serial) VALUES ('night', 'D1');
	UPDATE bmd_setting SET value = 365 WHERE name = 'keep_readings_days'" > "$scratch/data.log" 2>&1 ||
	not_ok "it takes data" "$(cat "$scratch/data.log")"
columns="device_id, serial, type_name, metric_id, condition, kind, priority, state, onset_at, raised_at, changed_at, revision"
sql "INSERT INTO bmd_alert (alert_id, $columns, cleared_at)
	SELECT gen_random_uuid(), device_id, serial, type_name, metric_id, 'low', 'physiological', 'high', v.state, now(), now(), now(), 1, v.cleared
	FROM bmd_device, (SELECT metric_id FROM bmd_metric WHERE name = 'SpO2') m, (VALUES ('active', NULL), ('cleared', now())) v (state, cleared)" > "$scratch/alert.log" 2>&1 ||
	not_ok "it takes alerts" "$(cat "$scratch/alert.log")"
database_migrate

check "open alerts are open, cleared ones closed" "active:t cleared:f" \
	"SELECT string_agg(state || ':' || CASE WHEN closed_at IS NULL THEN 't' ELSE 'f' END, ' ' ORDER BY state) FROM bmd_alert"
check "nobody has answered them, no step has begun" "none|0" "SELECT DISTINCT response, step FROM bmd_alert"
check "settings keep their values, new ones have theirs" \
	"default_team= keep_deliveries_days=0 keep_readings_days=365 messages_per_minute=10 reopen_seconds=60 silence_high_seconds=120 silence_seconds=900 storm_devices=10 storm_rest_seconds=120 storm_site_devices=20 storm_window_seconds=30 time_zone=Etc/UTC" \
	"SELECT string_agg(name || '=' || COALESCE(text_value, value::text), ' ' ORDER BY name) FROM bmd_setting"
sql "DELETE FROM bmd_setting" > /dev/null
check "every setting can be set again" "7" "INSERT INTO bmd_setting (name, value, text_value) VALUES ('default_team', NULL, 'night'),
	('keep_deliveries_days', 1, NULL), ('keep_readings_days', 1, NULL), ('reopen_seconds', 1, NULL), ('silence_seconds', 1, NULL),
	('silence_high_seconds', 1, NULL), ('time_zone', NULL, 'Europe/Berlin'); SELECT count(*) FROM bmd_setting"
refused "another one is not" "bmd_setting_name_is_known" "INSERT INTO bmd_setting (name, value) VALUES ('reopen_minutes', 1)"
refused "a number where words belong is refused" "time_zone_and_default_team_are_words" \
	"UPDATE bmd_setting SET value = 1, text_value = NULL WHERE name = 'time_zone'"
check "a password of before stays, without a digest by SHA-256" "t|t" "SELECT ha1 <> '', ha1_sha256 = '' FROM subscriber WHERE username = 't1'"
sql "SELECT bmd_set_password('t1', 'bmd.example', 'an earlier password')" > /dev/null
check "set again it has one" "t" "SELECT ha1_sha256 = encode(sha256('t1:bmd.example:an earlier password'), 'hex') FROM subscriber WHERE username = 't1'"
check "a team has a number" "t" "SELECT team_id > 0 FROM bmd_team"

rights="SELECT has_table_privilege(r, 'bmd_maintenance', 'UPDATE') AND has_table_privilege(r, 'bmd_escalation', 'INSERT')
	AND has_table_privilege(r, 'bmd_escalation_recipient', 'INSERT') AND has_table_privilege(r, 'bmd_roster', 'SELECT')
	AND has_table_privilege(r, 'bmd_alarm_report', 'SELECT') AND has_table_privilege(r, 'subscriber', 'SELECT')
	AND has_table_privilege(r, 'active_watchers', 'DELETE') AND NOT has_table_privilege(r, 'bmd_escalation', 'DELETE')"
check "a role of the earlier version has the new rights" "t" "$rights FROM (VALUES ('kamailio')) v (r)"
PGUSER=postgres sql "CREATE ROLE another LOGIN" > /dev/null
sql "SELECT bmd_grant_server('another')" > /dev/null
check "a new role gets all of them" "t" "$rights FROM (VALUES ('another')) v (r)"
finish
