#!/bin/bash
# sql_access.sh - passwords of technicians, and what the server's role may and may not do.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
. "$(dirname "$0")/../lib/database.sh"
database_begin
database_migrate
psql -Xq -o /dev/null -f "$top/sql/sample.sql" || exit 1
sql "SELECT bmd_grant_server('kamailio')" > /dev/null

accepted "a password is set" "SELECT bmd_set_password('tech1', 'bmd.example', 'correct horse battery')"
ha1=$(printf 'tech1:bmd.example:correct horse battery' | md5sum | cut -d ' ' -f 1)
ha1b=$(printf 'tech1@bmd.example:bmd.example:correct horse battery' | md5sum | cut -d ' ' -f 1)
check "as digests, never as text" "|$ha1|$ha1b" "SELECT password, ha1, ha1b FROM subscriber WHERE username = 'tech1' AND domain = 'bmd.example'"
sha=$(printf 'tech1:bmd.example:correct horse battery' | sha256sum | cut -d ' ' -f 1)
shab=$(printf 'tech1@bmd.example:bmd.example:correct horse battery' | sha256sum | cut -d ' ' -f 1)
check "by SHA-256 as well" "$sha|$shab" "SELECT ha1_sha256, ha1b_sha256 FROM subscriber WHERE username = 'tech1' AND domain = 'bmd.example'"
accepted "and changed" "SELECT bmd_set_password('tech1', 'bmd.example', 'another horse battery')"
check "in place" "1|f" "SELECT count(*), bool_or(ha1 = '$ha1' OR ha1_sha256 = '$sha') FROM subscriber WHERE username = 'tech1'"
refused "a password of 11 characters is refused" 'less than 12 characters' "SELECT bmd_set_password('tech1', 'bmd.example', '12345678901')"
refused "a NULL password is refused" 'less than 12 characters' "SELECT bmd_set_password('tech1', 'bmd.example', NULL)"
refused "an unknown technician gets no password" 'there is no enabled technician "nobody"' "SELECT bmd_set_password('nobody', 'bmd.example', 'correct horse battery')"
refused "an empty domain is refused" 'the domain must be' "SELECT bmd_set_password('tech1', '', 'correct horse battery')"

has() { echo "SELECT count(*) FROM subscriber WHERE username = '$1'"; }
sql "UPDATE bmd_technician SET full_name = 'x' WHERE username = 'tech1'"
check "a change of the full name keeps the password" "1" "$(has tech1)"
sql "UPDATE bmd_technician SET enabled = false WHERE username = 'tech1'"
check "disabling takes it away" "0" "$(has tech1)"
sql "UPDATE bmd_technician SET enabled = true WHERE username = 'tech1'"
check "enabling does not bring it back" "0" "$(has tech1)"
sql "SELECT bmd_set_password('tech1', 'bmd.example', 'correct horse battery'), bmd_set_password('tech2', 'bmd.example', 'correct horse battery')" > /dev/null
sql "DELETE FROM bmd_technician WHERE username = 'tech1'"
check "deleting takes it away" "0" "$(has tech1)"
check "and nobody else's" "1" "$(has tech2)"
sql "UPDATE bmd_technician SET username = 'tech4' WHERE username = 'tech2'"
check "renaming takes it away: the digest contains the name" "0" "SELECT count(*) FROM subscriber"
sql "SELECT bmd_set_password('tech4', 'bmd.example', 'correct horse battery')" > /dev/null
sql "INSERT INTO subscriber (username, domain) VALUES ('doorphone', 'bmd.example')"
sql "TRUNCATE bmd_technician CASCADE"
check "truncating takes all technicians' away, and only theirs" "doorphone" "SELECT username FROM subscriber"

export PGUSER=kamailio
accepted "the server reads provisioning and feeds" "SELECT FROM bmd_device, bmd_limit, bmd_watcher_rule, bmd_encryption, bmd_policy_rule, bmd_policy_answer, bmd_filter_rule, bmd_filter, bmd_role_member, bmd_area_device, bmd_feed_member, bmd_feed_watcher, bmd_patient, subscriber, version"
accepted "the server stores readings" "INSERT INTO bmd_reading VALUES (now(), now(), 1, 1, 1, 97, NULL, 1, 1, 1)"
accepted "the server creates partitions" "SELECT bmd_ensure_partitions(3)"
accepted "the server keeps subscriptions and registrations" "DELETE FROM active_watchers; DELETE FROM location"
refused "the server cannot drop readings" 'permission denied' "SELECT bmd_drop_partitions(1)"
refused "the server cannot change history" 'permission denied' "UPDATE bmd_alert_event SET who = 'x'"
refused "the server cannot delete alerts" 'permission denied' "DELETE FROM bmd_alert"
accepted "the server stores answers to who waits, and changes them" "INSERT INTO bmd_policy_answer (username, feed, approved) VALUES ('tech3', 'tech1', true); UPDATE bmd_policy_answer SET approved = false"
accepted "the server stores filters of subscriptions, and removes them" "INSERT INTO bmd_filter (dialog, username, feed, filter) VALUES ('0123456789abcdef', 'tech3', 'tech3', '<x/>'); DELETE FROM bmd_filter"
refused "the server cannot make rules of filters" 'permission denied' "DELETE FROM bmd_filter_rule"
refused "the server cannot make policies" 'permission denied' "DELETE FROM bmd_policy_rule"
refused "the server cannot provision" 'permission denied' "UPDATE bmd_device_limit SET low = 0"
refused "the server cannot set passwords" 'permission denied' "SELECT bmd_set_password('tech3', 'bmd.example', 'correct horse battery')"
refused "the server cannot change credentials" 'permission denied' "UPDATE subscriber SET ha1 = 'x'"
finish
