#!/bin/bash
# sql_partitions.sh - readings in day partitions, created ahead, dropped when old; text for people.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
. "$(dirname "$0")/../lib/database.sh"
database_begin
database_migrate
psql -Xq -o /dev/null -f "$top/sql/sample.sql" || exit 1

days="SELECT count(*) FROM pg_inherits WHERE inhparent = 'bmd_reading'::regclass AND inhrelid::regclass::text ~ '[0-9]{8}\$'"
put() { # put TIME [VALUE]
	echo "INSERT INTO bmd_reading SELECT $1, $1, d.device_id, 1, 1, ${2:-97}, NULL, 1, 1, 1 FROM bmd_device d WHERE serial = 'OX-1001'"
}
check "the migrations leave yesterday, today and two days ahead" "4" "$days"
check "five days ahead are three more" "3" "SET timezone = 'Pacific/Auckland'; SELECT bmd_ensure_partitions(5)"
check "a second call creates none" "0" "SELECT bmd_ensure_partitions(5)"
check "there are seven then" "7" "$days"
refused "partitions for a year and more are refused" 'days_ahead is 400' "SELECT bmd_ensure_partitions(400)"
accepted "a reading of now is stored" "$(put 'now()')"
check "in the partition of today (UTC)" "t" "SELECT tableoid::regclass::text = 'bmd_reading_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD') FROM bmd_reading"
accepted "the last microsecond of a UTC day is stored, whatever the session's time zone" "
	SET timezone = 'Pacific/Auckland';
	$(put "((now() AT TIME ZONE 'UTC')::date + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond'" 98)"
check "in the same day's partition" "t" "SELECT tableoid::regclass::text = 'bmd_reading_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD') FROM bmd_reading WHERE value = 98"
sql "$(put "((now() AT TIME ZONE 'UTC')::date + 5)::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond'" 96)"
check "days begin at midnight UTC, whatever the time zone of who created them" "t" "SELECT tableoid::regclass::text = 'bmd_reading_' || to_char((now() AT TIME ZONE 'UTC')::date + 4, 'YYYYMMDD') FROM bmd_reading WHERE value = 96"
sql "DELETE FROM bmd_reading WHERE value = 96"
accepted "a reading of a day without a partition is kept" "$(put "now() + interval '20 days'" 99)"
sql "SELECT bmd_ensure_partitions(21)" > /dev/null
check "and moves into the partition when that is created" "t" "SELECT tableoid::regclass::text ~ '[0-9]{8}\$' FROM bmd_reading WHERE value = 99"
check "people read serial, metric, value and unit" "OX-1001|SpO2|value|97|%" "SELECT serial, metric, kind, value, unit FROM bmd_readings WHERE value = 97"
sql "CREATE TABLE bmd_reading_20200101 PARTITION OF bmd_reading FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2020-01-02 00:00+00')"
sql "$(put "'2020-01-01 12:00+00'::timestamptz" 90)"
check "dropping keeps what is younger" "1" "SELECT bmd_drop_partitions(30)"
check "and removes what is older" "0" "SELECT count(*) FROM bmd_reading WHERE value = 90"
check "nothing else" "3" "SELECT count(*) FROM bmd_reading"
refused "keeping no day at all is refused" 'at least 1 day must be kept' "SELECT bmd_drop_partitions(0)"
# whole before it is looked at: grep -q ends at the first line it wants, and psql with an error (pipefail) when it writes on
plan=$(sql "SET enable_seqscan = off; EXPLAIN SELECT * FROM bmd_reading WHERE received_at > now() - interval '1 min'")
if grep -qE 'Index (Only )?Scan' <<< "$plan"; then
	ok "a window of time is found through the index"
else
	not_ok "a window of time is found through the index" "no index scan in the plan: $plan"
fi
finish
