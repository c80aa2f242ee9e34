#!/bin/bash
# sql_changes.sh - every change of provisioning is announced: NOTIFY bmd_change, 'TABLE:KEY'.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
. "$(dirname "$0")/../lib/database.sh"
database_begin
database_migrate
psql -Xq -o /dev/null -f "$top/sql/sample.sql" || exit 1

# announces NAME "PAYLOAD ..." SQL: exactly these, in any order, or so many;
# patient and assignment numbers as #.
announces() {
	local got
	got=$(psql -XAtq -v ON_ERROR_STOP=1 2>&1 << END
LISTEN bmd_change;
$3;
SELECT NULL WHERE false;
END
	)
	got=$(sed -n 's/^Asynchronous notification "bmd_change" with payload "\(.*\)" received.*/\1/p; /ERROR/p' <<< "$got" |
		sed -E 's/^(bmd_patient|bmd_assignment):[0-9]+$/\1:#/' | sort -u | paste -sd ' ')
	[[ $2 =~ ^[0-9]+$ ]] && got=$(wc -w <<< "$got")
	if [ "$got" = "$2" ]; then ok "$1"; else not_ok "$1" "expected '$2', got '$got'"; fi
}

announces "a new device" "bmd_device:N1" "INSERT INTO bmd_device (serial, type_name) VALUES ('N1', 'Capnograph')"
announces "two devices in one statement, each with its key" "bmd_device:N2 bmd_device:N3" "INSERT INTO bmd_device (serial, type_name) VALUES ('N2', 'Capnograph'), ('N3', 'Capnograph')"
announces "a changed device" "bmd_device:N1" "UPDATE bmd_device SET location = 'attic' WHERE serial = 'N1'"
announces "a renamed device, old and new key" "bmd_device:N1 bmd_device:N9" "UPDATE bmd_device SET serial = 'N9' WHERE serial = 'N1'"
announces "a deleted device" "bmd_device:N9" "DELETE FROM bmd_device WHERE serial = 'N9'"
announces "a statement that changes nothing is silent" "" "UPDATE bmd_device SET location = 'x' WHERE serial = 'nobody'"
announces "a new type" "bmd_device_type:T1" "INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('T1', '1 min')"
announces "a standard value, by its type" "bmd_type_limit:T1" "INSERT INTO bmd_type_limit (type_name, metric, low, priority) VALUES ('T1', 'SpO2', 90, 'high')"
announces "a prescribed value, by its device" "bmd_device_limit:N2" "INSERT INTO bmd_device_limit (serial, metric, low) VALUES ('N2', 'SpO2', 85)"
announces "deleting a device announces its prescribed values" "bmd_device:N2 bmd_device_limit:N2" "DELETE FROM bmd_device WHERE serial = 'N2'"
announces "a patient" "bmd_patient:#" "UPDATE bmd_patient SET address = 'moved' WHERE name = 'Anna Example'"
announces "a group" "bmd_group:g1" "INSERT INTO bmd_group VALUES ('g1')"
announces "a device put into a group, by the device" "bmd_group_device:N3" "INSERT INTO bmd_group_device VALUES ('g1', 'N3')"
announces "a device moved between groups, by the device" "bmd_group_device:N3" "UPDATE bmd_group_device SET group_name = 'oximetry' WHERE serial = 'N3'"
announces "a technician" "bmd_technician:t9" "INSERT INTO bmd_technician (username) VALUES ('t9')"
announces "a team" "bmd_team:day" "INSERT INTO bmd_team VALUES ('day')"
announces "a member of a team, by the technician" "bmd_team_member:t9" "INSERT INTO bmd_team_member VALUES ('day', 't9')"
announces "an assignment of a device, by the device's feed" "bmd_assignment:dev.N3" "INSERT INTO bmd_assignment (username, serial) VALUES ('t9', 'N3')"
announces "an assignment of a group to a team, by group and each member" "bmd_assignment:grp.g1 bmd_assignment:t9" "INSERT INTO bmd_assignment (team_name, group_name) VALUES ('day', 'g1')"
announces "a team with all it was assigned to is deleted, by its members" "bmd_assignment:grp.g1 bmd_team:day bmd_team_member:t9" "DELETE FROM bmd_team WHERE team_name = 'day'"
announces "5,000 rows in one statement are announced by key" "5000" "INSERT INTO bmd_device (serial, type_name) SELECT 'B' || i, 'Capnograph' FROM generate_series(1, 5000) i"
announces "5,001 rows in one statement are announced as the whole table" "bmd_device:*" "INSERT INTO bmd_device (serial, type_name) SELECT 'C' || i, 'Capnograph' FROM generate_series(1, 5001) i"
announces "TRUNCATE announces all tables it empties" "bmd_assignment:* bmd_escalation_policy:* bmd_escalation_step:* bmd_filter_rule:* bmd_group:* bmd_group_device:* bmd_maintenance:* bmd_policy_rule:* bmd_watcher_rule:*" "TRUNCATE bmd_group CASCADE"
announces "a rule of watchers, by its number" "bmd_watcher_rule:1" "INSERT INTO bmd_watcher_rule (username, digest_every) VALUES ('t9', '1 h')"
announces "a rule of filters, by its name" "bmd_filter_rule:night" "INSERT INTO bmd_filter_rule (rule_name, priority) VALUES ('night', 'medium')"
announces "a policy, by its number" "bmd_policy_rule:1" "INSERT INTO bmd_policy_rule (username, everything, decision) VALUES ('t9', true, 'block')"
announces "a role and who has it, by the role" "bmd_role:r1 bmd_role_member:r1" "INSERT INTO bmd_role VALUES ('r1'); INSERT INTO bmd_role_member VALUES ('r1', 't9')"
announces "a device put into an area, by the device" "bmd_area:a1 bmd_area_device:N3" "INSERT INTO bmd_area VALUES ('a1'); INSERT INTO bmd_area_device VALUES ('a1', 'N3')"
announces "an answer to who waits, by the person" "bmd_policy_answer:t9" "INSERT INTO bmd_policy_answer (username, feed, approved) VALUES ('t9', 'dev.N3', true)"
announces "a renamed technician announces the rules, and the answer that ends" "bmd_policy_answer:t9 bmd_policy_rule:1 bmd_role_member:r1 bmd_technician:t8 bmd_technician:t9 bmd_watcher_rule:1" "UPDATE bmd_technician SET username = 't8' WHERE username = 't9'"
announces "a certificate, by its technician" "bmd_encryption:t8" "INSERT INTO bmd_encryption (username, encrypted_only) VALUES ('t8', true)"
announces "a renamed technician announces the certificate" "bmd_encryption:t7 bmd_encryption:t8 bmd_policy_rule:1 bmd_role_member:r1 bmd_technician:t7 bmd_technician:t8 bmd_watcher_rule:1" "UPDATE bmd_technician SET username = 't7' WHERE username = 't8'"
announces "what is rolled back is silent" "" "BEGIN; DELETE FROM bmd_team; ROLLBACK"

check "what was announced is kept" "0" "SELECT count(*) FROM (SELECT 'bmd_device:*' AS p EXCEPT SELECT table_name || ':' || key FROM bmd_change) s"
refused "bmd_notify_keys is for triggers" "is for triggers" "SELECT bmd_notify_keys('bmd_device', ARRAY['*'])"
start=$(date +%s%N)
accepted "100,000 devices go in with one statement" "INSERT INTO bmd_device (serial, type_name, location) SELECT 'D' || i, 'Nonin oximeter', 'home ' || i FROM generate_series(1, 100000) i"
ms=$((($(date +%s%N) - start) / 1000000))
if [ "$ms" -lt 10000 ]; then ok "and take less than 10 s"; else not_ok "and take less than 10 s" "$ms ms"; fi
printf '# 100,000 devices: %s ms\n' "$ms"
finish
