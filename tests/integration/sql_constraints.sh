#!/bin/bash
# sql_constraints.sh - the database refuses nonsense, and says what is wrong.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
. "$(dirname "$0")/../lib/database.sh"
database_begin
database_migrate
psql -Xq -o /dev/null -f "$top/sql/sample.sql" || exit 1

check "every table and view, and every column of it, has a comment" "" "
	SELECT c.relname || COALESCE('.' || a.attname, '') FROM pg_class c
	LEFT JOIN LATERAL (SELECT attnum, attname FROM pg_attribute
		WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
		UNION ALL SELECT 0, NULL) a ON true
	WHERE c.relname LIKE 'bmd\_%' AND c.relkind IN ('r', 'p', 'v')
	AND (a.attnum = 0 OR NOT c.relispartition) AND col_description(c.oid, a.attnum) IS NULL
	AND NOT (a.attnum = 0 AND obj_description(c.oid) IS NOT NULL)"
check "every function has a comment" "" "
	SELECT proname FROM pg_proc WHERE proname LIKE 'bmd\_%' AND obj_description(oid) IS NULL"
check "every constraint of ours has a name that says more than _check" "" "
	SELECT conname FROM pg_constraint WHERE contype = 'c' AND conname LIKE 'bmd\_%\_check%'"
check "every function that runs with its owner's rights has a fixed search_path ending in pg_temp" "" "
	SELECT proname FROM pg_proc WHERE prosecdef AND COALESCE(array_to_string(proconfig, ' '), '') !~ 'search_path=.*, pg_temp$'"

dev() { echo "INSERT INTO bmd_device (serial, type_name, location) VALUES ($1, $2, $3)"; }
refused "a serial with a space is refused" 'serial_has_1_to_31_letters_digits_dots_dashes' "$(dev "'A B'" "'Nonin oximeter'" "''")"
refused "a serial of 32 characters is refused" 'serial_has_1_to_31' "$(dev "repeat('A', 32)" "'Nonin oximeter'" "''")"
refused "a serial ending in a newline is refused" 'serial_has_1_to_31' "$(dev "E'A\n'" "'Nonin oximeter'" "''")"
accepted "a serial of 31 characters is accepted" "$(dev "repeat('A', 31)" "'Nonin oximeter'" "repeat('x', 95)")"
refused "a serial is unique" 'bmd_device_pkey' "$(dev "'OX-1001'" "'Nonin oximeter'" "''")"
refused "an unknown device type is refused" 'bmd_device_type_name_fkey' "$(dev "'A1'" "'Nonsense'" "''")"
refused "a location of 96 bytes in 48 characters is refused" 'location_has_at_most_95_bytes' "$(dev "'A2'" "'Nonin oximeter'" "repeat('é', 48)")"
refused "a control character, which XML cannot carry, is refused" 'no_control_characters' "$(dev "'A3'" "'Nonin oximeter'" "E'a\x07b'")"
refused "a patient without name is refused" 'name_has_1_to_95_bytes' "INSERT INTO bmd_patient (name) VALUES ('')"
refused "an address of 192 bytes is refused" 'address_has_at_most_191_bytes' "INSERT INTO bmd_patient (name, address) VALUES ('a', repeat('x', 192))"
refused "a patient who has a device cannot be deleted" 'bmd_device_patient_id_fkey' "DELETE FROM bmd_patient"
refused "a type that is never stale is refused" 'stale_after_is_more_than_0' "INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('x', '0')"

lim() { echo "INSERT INTO bmd_type_limit (type_name, metric, low, high, hysteresis, delay, priority) VALUES ('Capnograph', $1, $2, $3, $4, $5, $6)"; }
refused "low above high is refused" 'low_is_below_high' "$(lim "'SpO2'" 95 90 0 "'0'" "'high'")"
refused "a limit without low and high is refused" 'low_or_high_is_given' "$(lim "'SpO2'" NULL NULL 0 "'0'" "'high'")"
refused "NaN is no limit" 'low limit NaN of SpO2 is outside the plausible range 0 to 100 %' "$(lim "'SpO2'" "'NaN'" NULL 0 "'0'" "'high'")"
refused "infinity is no limit" 'high limit Infinity of SpO2 is outside' "$(lim "'SpO2'" 90 "'Infinity'" 0 "'0'" "'high'")"
refused "a limit beyond the plausible range names metric, value and range" 'high limit 401 of PulseRate is outside the plausible range 0 to 400 /min' "$(lim "'PulseRate'" 40 401 0 "'0'" "'high'")"
refused "an unknown metric is refused" 'metric_fkey' "$(lim "'SpO3'" 90 NULL 0 "'0'" "'high'")"
refused "an alarm of the device has no limits" 'LowO2Supply is an alarm that devices raise themselves' "$(lim "'LowO2Supply'" 90 NULL 0 "'0'" "'high'")"
refused "a negative hysteresis is refused" 'hysteresis_is_finite_and_not_negative' "$(lim "'SpO2'" 90 NULL -1 "'0'" "'high'")"
refused "a hysteresis of NaN is refused" 'hysteresis_is_finite_and_not_negative' "$(lim "'SpO2'" 90 NULL "'NaN'" "'0'" "'high'")"
refused "a hysteresis that leaves nothing between the limits is refused" 'hysteresis 10 of SpO2 leaves nothing between low 85 and high 95' "$(lim "'SpO2'" 85 95 10 "'0'" "'high'")"
refused "a delay above one hour is refused" 'delay_is_0_to_1_hour' "$(lim "'SpO2'" 90 NULL 0 "'61 min'" "'high'")"
refused "a negative delay is refused" 'delay_is_0_to_1_hour' "$(lim "'SpO2'" 90 NULL 0 "'-1 s'" "'high'")"
refused "an unknown priority is refused" 'priority_is_high_medium_or_low' "$(lim "'SpO2'" 90 NULL 0 "'0'" "'urgent'")"

pre() { echo "INSERT INTO bmd_device_limit (serial, metric, low, high) VALUES ('OX-1001', $1, $2, $3) ON CONFLICT (serial, metric) DO UPDATE SET low = EXCLUDED.low, high = EXCLUDED.high"; }
refused "a prescribed low above the standard high is refused" 'device OX-1001: in force for PulseRate would be low 130 and high 120' "$(pre "'PulseRate'" 130 NULL)"
accepted "prescribing both sides is accepted" "$(pre "'PulseRate'" 130 160)"
check "prescribed values win over standard values, side by side" "130|160|3|medium" "SELECT low, high, hysteresis, priority FROM bmd_limit WHERE serial = 'OX-1001' AND metric = 'PulseRate'"
accepted "prescribing one side is accepted" "$(pre "'PulseRate'" 40 NULL)"
check "the other side is inherited" "40|120" "SELECT low, high FROM bmd_limit WHERE serial = 'OX-1001' AND metric = 'PulseRate'"
refused "a standard value that contradicts a prescribed one is refused" 'device OX-1001: in force for PulseRate would be low 40 and high 35' "UPDATE bmd_type_limit SET low = 30, high = 35 WHERE type_name = 'Nonin oximeter' AND metric = 'PulseRate'"
refused "a prescription that prescribes nothing is refused" 'prescribes_something' "INSERT INTO bmd_device_limit (serial, metric) VALUES ('VENT-840-1', 'PEEP')"
refused "a device cannot move to a type whose values contradict its prescription" 'in force for PulseRate would be low 40 and high 39' "
	INSERT INTO bmd_type_limit (type_name, metric, high, priority) VALUES ('Capnograph', 'PulseRate', 39, 'low');
	UPDATE bmd_device SET type_name = 'Capnograph' WHERE serial = 'OX-1001'"

second() { echo "INSERT INTO bmd_device_limit (serial, metric, low, low_low, high, high_high) VALUES ('CAP-1', 'RespRate', $1, $2, $3, $4)"; }
accepted "a device for second limits" "$(dev "'CAP-1'" "'Capnograph'" "''"); DELETE FROM bmd_type_limit WHERE type_name = 'Capnograph' AND metric = 'RespRate'"
refused "a low_low without a low in force never alarms: it is refused" 'bmd_limit_low_low_is_below_low|would be low_low 6 and low none' "$(second NULL 6 NULL NULL)"
refused "so is a high_high without a high" 'would be high_high 40 and high none' "$(second NULL NULL NULL 40)"
refused "a low_low on its low is refused" 'would be low_low 8 and low 8' "$(second 8 8 NULL NULL)"
accepted "a low_low below a low is accepted" "$(second 8 6 30 40)"
accepted "both may be switched off at the end of the plausible range" "UPDATE bmd_device_limit l SET low = m.min_value, low_low = m.min_value FROM bmd_metric m WHERE m.name = l.metric AND l.serial = 'CAP-1'"
refused "a standard low_low above a prescribed low is refused" 'device CAP-1: in force for RespRate would be low_low 7 and low 5' "
	UPDATE bmd_device_limit SET low = 5, low_low = NULL WHERE serial = 'CAP-1';
	INSERT INTO bmd_type_limit (type_name, metric, low, low_low, priority) VALUES ('Capnograph', 'RespRate', 9, 7, 'low')"
refused "a standard low that a prescribed low_low needs stays" 'would be low_low 6 and low none' "
	DELETE FROM bmd_device_limit WHERE serial = 'CAP-1';
	INSERT INTO bmd_type_limit (type_name, metric, low, priority) VALUES ('Capnograph', 'RespRate', 9, 'low');
	$(second NULL 6 NULL NULL);
	DELETE FROM bmd_type_limit WHERE type_name = 'Capnograph' AND metric = 'RespRate'"

accepted "a default team" "UPDATE bmd_setting SET text_value = 'night' WHERE name = 'default_team'"
accepted "a team is renamed" "UPDATE bmd_team SET team_name = 'late' WHERE team_name = 'night'"
check "the default team with it" "late" "SELECT text_value FROM bmd_setting WHERE name = 'default_team'"
refused "the default team cannot be deleted" 'the team "late" is the default team' "DELETE FROM bmd_team WHERE team_name = 'late'"
refused "nor with all others" 'the team "late" is the default team' "TRUNCATE bmd_team CASCADE"
psql -Xq -c "BEGIN; UPDATE bmd_setting SET text_value = '' WHERE name = 'default_team'; INSERT INTO bmd_team VALUES ('day'); COMMIT"
psql -Xq -c "BEGIN; UPDATE bmd_setting SET text_value = 'day' WHERE name = 'default_team'" -c "SELECT pg_sleep(2)" -c "COMMIT" > /dev/null 2>&1 &
until [ "$(psql -XAtqc "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND wait_event = 'PgSleep'")" = 1 ] || ! kill -0 $!; do sleep 0.05; done
refused "nor one that somebody makes the default meanwhile" 'the team "day" is the default team' "DELETE FROM bmd_team WHERE team_name = 'day'"
wait $!
accepted "when another is chosen it can be deleted" "UPDATE bmd_setting SET text_value = 'late' WHERE name = 'default_team'; DELETE FROM bmd_team WHERE team_name = 'day'"
accepted "names as before" "UPDATE bmd_setting SET text_value = '' WHERE name = 'default_team'; UPDATE bmd_team SET team_name = 'night' WHERE team_name = 'late'"

step() { echo "BEGIN; INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('g', '1 min');
	INSERT INTO bmd_escalation_step (policy_id, position, after, whom, group_name, how) SELECT policy_id, 1, '0', 'group', 'oximetry', $1 FROM bmd_escalation_policy; ROLLBACK"; }
refused "a group is not called" 'bmd_escalation_step_of_a_group_is_by_subscribe_only' "$(step "'{subscribe,call}'")"
accepted "its feed shows the alert" "$(step "'{subscribe}'")"

pem='-----BEGIN CERTIFICATE-----
MIIB
-----END CERTIFICATE-----
'
accepted "a certificate in PEM form" "INSERT INTO bmd_encryption VALUES ('tech1', '$pem')"
accepted "nobody's certificate, but encrypted only" "INSERT INTO bmd_encryption (username, encrypted_only) VALUES ('tech2', true)"
refused "a row that says nothing" 'bmd_encryption_says_something' "INSERT INTO bmd_encryption (username) VALUES ('tech3')"
refused "what is no certificate" 'certificate_is_one_pem' "INSERT INTO bmd_encryption VALUES ('tech3', 'nonsense')"
refused "two certificates" 'certificate_is_one_pem' "INSERT INTO bmd_encryption VALUES ('tech3', '$pem$pem')"
refused "a key beside it" 'certificate_is_one_pem' "INSERT INTO bmd_encryption VALUES ('tech3', '${pem//CERTIFICATE/PRIVATE KEY}')"
refused "somebody who is no technician" 'bmd_encryption_username_fkey' "INSERT INTO bmd_encryption VALUES ('nobody', '$pem')"

flt() { echo "INSERT INTO bmd_filter_rule (rule_name, $1) VALUES ('night', $2)"; }
accepted "a rule of filters" "$(flt "type_name, metric, below" "'Nonin oximeter', 'SpO2', 85")"
accepted "another row of the same rule" "$(flt "priority, kind" "'medium', 'technical'")"
refused "the same row twice is refused" 'bmd_filter_rule_is_unique' "$(flt "priority, kind" "'medium', 'technical'")"
refused "a rule of filters that says nothing is refused" 'says_something' "$(flt "why" "'x'")"
refused "a number of no metric is refused" 'below_or_above_needs_a_metric' "$(flt "kind, below" "'physiological', 85")"
refused "two numbers are refused" 'below_or_above_needs_a_metric' "$(flt "metric, below, above" "'SpO2', 85, 90")"
refused "a number that is none is refused" 'numbers_are_finite' "$(flt "metric, below" "'SpO2', 'NaN'")"
refused "an unknown condition of a filter is refused" 'condition_is_low_high_invalid_stale' "$(flt "condition" "'device'")"
refused "an unknown area of a filter is refused" 'bmd_filter_rule_area_name_fkey' "$(flt "area_name" "'nowhere'")"

pol() { echo "INSERT INTO bmd_policy_rule ($1) VALUES ($2)"; }
accepted "a policy" "$(pol "username, serial, decision, shown, most_subscriptions" "'tech1', 'OX-1001', 'allow', 'no-identity', 3")"
accepted "one for anyone, of everything, by night" "$(pol "anyone, everything, decision, hours_from, hours_until" "true, true, 'block', '22:00', '06:00'")"
accepted "one for another domain" "$(pol "domain, feed, decision" "'home.example', 'grp.oximetry', 'polite-block'")"
refused "a policy for nobody is refused" 'names_one_person_role_team_domain_or_anyone' "$(pol "serial, decision" "'OX-1001', 'allow'")"
refused "one for a person and for anyone is refused" 'names_one_person_role_team' "$(pol "username, anyone, serial, decision" "'tech1', true, 'OX-1001', 'allow'")"
refused "one about nothing is refused" 'names_one_resource_or_everything' "$(pol "username, decision" "'tech1', 'allow'")"
refused "one about a device and its type is refused" 'names_one_resource_or_everything' "$(pol "username, serial, type_name, decision" "'tech1', 'OX-1001', 'Nonin oximeter', 'allow'")"
refused "an unknown decision is refused" 'decision_is_allow_confirm_block_or_polite_block' "$(pol "username, everything, decision" "'tech1', true, 'deny'")"
refused "an unknown way to show is refused" 'shown_is_full_no_identity_no_location_neither_count' "$(pol "username, everything, decision, shown" "'tech1', true, 'allow', 'half'")"
refused "who is blocked is shown nothing that could be left out" 'that_blocks_has_nothing_to_show_or_to_count' "$(pol "username, everything, decision, shown" "'tech1', true, 'block', 'count'")"
refused "no subscriptions at all is block" 'most_subscriptions_is_1_to_1000' "$(pol "username, everything, decision, most_subscriptions" "'tech1', true, 'allow', 0")"
refused "an unknown device is refused" 'bmd_policy_rule_serial_fkey' "$(pol "username, serial, decision" "'tech1', 'OX-9', 'allow'")"
refused "a feed with a space is refused" 'feed_is_a_user_name_dev_serial_or_grp_name' "$(pol "username, feed, decision" "'tech1', 'a b', 'allow'")"
refused "a domain in capital letters is refused" 'domain_is_a_host_name_or_an_asterisk' "$(pol "domain, everything, decision" "'Home.Example', true, 'allow'")"
refused "a rule that ends before it begins is refused" 'valid_until_is_after_valid_from' "$(pol "username, everything, decision, valid_from, valid_until" "'tech1', true, 'allow', '2026-02-01', '2026-01-01'")"
refused "one until infinity is refused" 'valid_times_are_finite' "$(pol "username, everything, decision, valid_until" "'tech1', true, 'allow', 'infinity'")"
refused "an eighth day is refused" 'days_are_1_to_7' "$(pol "username, everything, decision, days" "'tech1', true, 'allow', '{8}'")"
refused "an area with a space is refused" 'area_name_has_1_to_30' "INSERT INTO bmd_area VALUES ('a b')"

refused "a technician cannot be called like a feed" 'does_not_begin_like_a_feed' "INSERT INTO bmd_technician (username) VALUES ('dev.OX-1001')"
refused "nor in capital letters" 'does_not_begin_like_a_feed' "INSERT INTO bmd_technician (username) VALUES ('GRP.x')"
refused "a group name with a dot is refused" 'group_name_has_1_to_27' "INSERT INTO bmd_group VALUES ('a.b')"
refused "an assignment to a technician and a team at once is refused" 'is_to_a_technician_or_a_team' "INSERT INTO bmd_assignment (username, team_name, serial) VALUES ('tech1', 'night', 'OX-1001')"
refused "an assignment of nothing is refused" 'is_of_a_device_or_a_group' "INSERT INTO bmd_assignment (username) VALUES ('tech1')"
refused "the same assignment twice is refused" 'bmd_assignment_is_unique' "INSERT INTO bmd_assignment (username, serial) VALUES ('tech1', 'VENT-840-1')"
refused "an alert cannot be cleared without a time" 'has_cleared_at_when_cleared_only' "INSERT INTO bmd_alert (alert_id, device_id, serial, type_name, metric_id, condition, kind, priority, state, onset_at, raised_at, changed_at, revision)
	VALUES (gen_random_uuid(), 1, 'A', 't', 1, 'low', 'technical', 'high', 'cleared', now(), now(), now(), 1)"
finish
