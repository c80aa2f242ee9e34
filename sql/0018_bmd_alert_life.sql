-- 0018_bmd_alert_life.sql - what people make of an alert, maintenance windows, second limits, the report of alarms.
-- SPDX-License-Identifier: GPL-2.0-or-later

-- pg_temp last: functions that run with their owner's rights must not find a caller's temporary table.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

ALTER TABLE bmd_alert
    ADD COLUMN code            text,
    ADD COLUMN response        text     NOT NULL DEFAULT 'none',
    ADD COLUMN answered_by     text,
    ADD COLUMN answered_at     timestamptz,
    ADD COLUMN taken_at        timestamptz,
    ADD COLUMN step            smallint NOT NULL DEFAULT 0,
    ADD COLUMN silenced_until  timestamptz,
    ADD COLUMN suppressed      text     NOT NULL DEFAULT 'none',
    ADD COLUMN mutes           integer  NOT NULL DEFAULT 0,
    ADD COLUMN outcome         text     NOT NULL DEFAULT 'none',
    ADD COLUMN priority_before text,
    ADD COLUMN risen           smallint NOT NULL DEFAULT 0,
    ADD COLUMN rises_at        timestamptz,
    ADD COLUMN closed_at       timestamptz;
UPDATE bmd_alert SET closed_at = cleared_at WHERE state = 'cleared';
ALTER TABLE bmd_alert
    ADD CONSTRAINT bmd_alert_response_is_known
        CHECK (response IN ('none', 'delivered', 'accepted', 'rejected', 'escalated', 'acknowledged')),
    ADD CONSTRAINT bmd_alert_suppressed_is_known CHECK (suppressed IN ('none', 'maintenance', 'inhibition')),
    ADD CONSTRAINT bmd_alert_outcome_is_known CHECK (outcome IN ('none', 'actionable', 'false')),
    ADD CONSTRAINT bmd_alert_priority_before_is_high_medium_or_low
        CHECK (priority_before IN ('high', 'medium', 'low')),
    ADD CONSTRAINT bmd_alert_is_closed_only_when_cleared CHECK (closed_at IS NULL OR state = 'cleared');
COMMENT ON COLUMN bmd_alert.code IS 'Short code to answer with, unique among those that are not closed; NULL: raised before there were any';
COMMENT ON COLUMN bmd_alert.response IS 'none, delivered, accepted, rejected, escalated or acknowledged: what people made of it';
COMMENT ON COLUMN bmd_alert.answered_by IS 'Who accepted, rejected or acknowledged it; NULL: nobody';
COMMENT ON COLUMN bmd_alert.answered_at IS 'Since when the response stands; NULL while there is none';
COMMENT ON COLUMN bmd_alert.taken_at IS 'When somebody first accepted or dealt with it; NULL: nobody has';
COMMENT ON COLUMN bmd_alert.step IS 'Step of the escalation, from 1; 0: not escalated';
COMMENT ON COLUMN bmd_alert.silenced_until IS 'NULL: not silenced';
COMMENT ON COLUMN bmd_alert.suppressed IS 'none, maintenance or inhibition: why it is told, but not urgently, and nobody is called for it';
COMMENT ON COLUMN bmd_alert.mutes IS 'Of a stale alert: how many physiological alerts of the device it inhibits';
COMMENT ON COLUMN bmd_alert.outcome IS 'none, actionable or false: what it turned out to be';
COMMENT ON COLUMN bmd_alert.priority_before IS 'Priority before its last rise or fall; NULL: it has not changed';
COMMENT ON COLUMN bmd_alert.risen IS 'Steps by which its priority rose because nobody answered';
COMMENT ON COLUMN bmd_alert.rises_at IS 'When its priority rises if nobody answers; NULL: it does not';
COMMENT ON COLUMN bmd_alert.closed_at IS 'When it was over for good; NULL: it is open, or cleared and may come back as the same alert';
CREATE INDEX bmd_alert_unclosed_idx ON bmd_alert (raised_at) WHERE closed_at IS NULL;

ALTER TABLE bmd_alert_event
    ADD COLUMN response       text NOT NULL DEFAULT 'none',
    ADD COLUMN silenced_until timestamptz;
COMMENT ON COLUMN bmd_alert_event.response IS 'Response after it; as in bmd_alert';
COMMENT ON COLUMN bmd_alert_event.silenced_until IS 'Silenced until, after it; NULL: not silenced';
COMMENT ON COLUMN bmd_alert_event.event IS 'What happened: raised, latched, reopened, updated, priority, cleared, closed, disabled, removed, reassigned; delivered, accepted, rejected, escalated, acknowledged, resolved; silenced, silence-over; suppressed, resumed';

-- Followed by running servers like provisioning.
ALTER TABLE bmd_setting DROP CONSTRAINT bmd_setting_name_is_known;
ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_name_is_known
    CHECK (name IN ('keep_readings_days', 'keep_deliveries_days', 'reopen_seconds', 'silence_seconds',
        'silence_high_seconds'));
ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_seconds_are_at_most_an_hour
    CHECK (name NOT LIKE '%\_seconds' OR value <= 3600);
COMMENT ON COLUMN bmd_setting.name IS 'keep_readings_days, keep_deliveries_days: whole days (UTC) before today whose rows are kept; 0: for ever. reopen_seconds: a condition that comes back within that time continues its alert; 0: it is a new one. silence_seconds, silence_high_seconds: longest silence of an alert, and of one of high priority';
INSERT INTO bmd_setting VALUES ('reopen_seconds', 60), ('silence_seconds', 900), ('silence_high_seconds', 120);

DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT * FROM (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
        ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) v (op, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON bmd_setting REFERENCING %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION bmd_notify_change(''name'')', 'bmd_setting_notify_' || o.op, o.op, o.tables);
    END LOOP;
END
$$;

-- For people, long after: what a closed alert turned out to be.
CREATE FUNCTION bmd_resolve(a_alert uuid, a_outcome text, a_who text, a_why text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF a_outcome IS NULL OR a_outcome NOT IN ('actionable', 'false') THEN
        RAISE EXCEPTION 'the outcome of an alert is actionable or false, not "%"', a_outcome
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF COALESCE(a_who, '') = '' THEN
        RAISE EXCEPTION 'nobody is named who resolves the alert' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE bmd_alert SET outcome = a_outcome, changed_at = now(), revision = revision + 1
    WHERE alert_id = a_alert AND closed_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no closed alert %', a_alert
            USING ERRCODE = 'no_data_found', HINT = 'An alert that is not closed: kamcmd bmd.resolve.';
    END IF;
    INSERT INTO bmd_alert_event (alert_id, revision, at, event, state, priority, value, who, through, why, response)
    SELECT alert_id, revision, changed_at, 'resolved', state, priority, value, a_who, 'sql', a_why, response
    FROM bmd_alert WHERE alert_id = a_alert;
END
$$;
COMMENT ON FUNCTION bmd_resolve(uuid, text, text, text) IS 'Says what a closed alert turned out to be: alert, actionable or false, who, why';
REVOKE ALL ON FUNCTION bmd_resolve(uuid, text, text, text) FROM PUBLIC;

-- One row an alert; bmd.report-alarms counts those of the last days.
CREATE VIEW bmd_alarm AS
SELECT a.alert_id, a.serial, COALESCE(m.name, a.metric_id::text) AS metric, a.condition, a.raised_at,
       a.taken_at IS NOT NULL AS accepted, a.outcome = 'false' AS false_alarm,
       extract(epoch FROM a.taken_at - a.raised_at)::double precision AS seconds_to_answer
FROM bmd_alert a LEFT JOIN bmd_metric m ON m.metric_id = a.metric_id;
COMMENT ON VIEW bmd_alarm IS 'Every alert as statistics count it';
COMMENT ON COLUMN bmd_alarm.alert_id IS 'bmd_alert.alert_id';
COMMENT ON COLUMN bmd_alarm.serial IS 'Device';
COMMENT ON COLUMN bmd_alarm.metric IS 'Metric, or alarm of the device';
COMMENT ON COLUMN bmd_alarm.condition IS 'Why it was raised';
COMMENT ON COLUMN bmd_alarm.raised_at IS 'When';
COMMENT ON COLUMN bmd_alarm.accepted IS 'Somebody accepted or dealt with it';
COMMENT ON COLUMN bmd_alarm.false_alarm IS 'It was resolved as false';
COMMENT ON COLUMN bmd_alarm.seconds_to_answer IS 'Until somebody first did; NULL: nobody has';

CREATE VIEW bmd_alarm_report AS
SELECT serial, metric, condition, count(*) AS raised, count(*) FILTER (WHERE accepted) AS accepted,
       count(*) FILTER (WHERE false_alarm) AS false_alarms,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds_to_answer) AS median_seconds_to_answer
FROM bmd_alarm GROUP BY serial, metric, condition;
COMMENT ON VIEW bmd_alarm_report IS 'By device and rule: alerts raised, accepted, false, and the median time to answer';
COMMENT ON COLUMN bmd_alarm_report.serial IS 'Device';
COMMENT ON COLUMN bmd_alarm_report.metric IS 'Metric, or alarm of the device';
COMMENT ON COLUMN bmd_alarm_report.condition IS 'low, high, invalid, stale or device';
COMMENT ON COLUMN bmd_alarm_report.raised IS 'Alerts raised';
COMMENT ON COLUMN bmd_alarm_report.accepted IS 'Of these, somebody accepted or dealt with';
COMMENT ON COLUMN bmd_alarm_report.false_alarms IS 'Of these, resolved as false';
COMMENT ON COLUMN bmd_alarm_report.median_seconds_to_answer IS 'Seconds until somebody first did, the median; NULL: nobody ever has';

CREATE TABLE bmd_maintenance (
    maintenance_id uuid        NOT NULL DEFAULT gen_random_uuid(),
    serial         text,
    type_name      text,
    group_name     text,
    everything     boolean     NOT NULL DEFAULT false,
    starts_at      timestamptz NOT NULL DEFAULT now(),
    ends_at        timestamptz NOT NULL,
    who            text        NOT NULL,
    why            text        NOT NULL,
    CONSTRAINT bmd_maintenance_pkey PRIMARY KEY (maintenance_id),
    CONSTRAINT bmd_maintenance_serial_fkey FOREIGN KEY (serial)
        REFERENCES bmd_device ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_maintenance_type_name_fkey FOREIGN KEY (type_name)
        REFERENCES bmd_device_type ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_maintenance_group_name_fkey FOREIGN KEY (group_name)
        REFERENCES bmd_group ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_maintenance_is_of_a_device_a_type_a_group_or_everything
        CHECK (num_nonnulls(serial, type_name, group_name) + everything::integer = 1),
    CONSTRAINT bmd_maintenance_lasts_at_most_24_hours
        CHECK (ends_at >= starts_at AND ends_at <= starts_at + interval '24 hours'),
    CONSTRAINT bmd_maintenance_who_has_1_to_31_bytes CHECK (octet_length(who) BETWEEN 1 AND 31),
    CONSTRAINT bmd_maintenance_why_has_1_to_79_bytes CHECK (octet_length(why) BETWEEN 1 AND 79),
    CONSTRAINT bmd_maintenance_has_no_control_characters
        CHECK (who !~ '[\x01-\x1f\x7f\ufffe\uffff]' AND why !~ '[\x01-\x1f\x7f\ufffe\uffff]')
);
COMMENT ON TABLE bmd_maintenance IS 'Maintenance windows: alerts within are recorded and shown, but not urgent, and nobody is called for them';
COMMENT ON COLUMN bmd_maintenance.maintenance_id IS 'Given by the database, or by the server for kamcmd bmd.maintenance';
COMMENT ON COLUMN bmd_maintenance.serial IS 'The device; NULL: another scope';
COMMENT ON COLUMN bmd_maintenance.type_name IS 'All devices of this type; NULL: another scope';
COMMENT ON COLUMN bmd_maintenance.group_name IS 'All devices of this group; NULL: another scope';
COMMENT ON COLUMN bmd_maintenance.everything IS 'True: every device';
COMMENT ON COLUMN bmd_maintenance.starts_at IS 'From when on';
COMMENT ON COLUMN bmd_maintenance.ends_at IS 'Until when, at most 24 hours later; UPDATE it to now() to end it early';
COMMENT ON COLUMN bmd_maintenance.who IS 'Who set it, 1 to 31 bytes';
COMMENT ON COLUMN bmd_maintenance.why IS 'Reason, 1 to 79 bytes';
CREATE INDEX bmd_maintenance_ends_idx ON bmd_maintenance (ends_at);
CREATE INDEX bmd_maintenance_serial_idx ON bmd_maintenance (serial);
CREATE INDEX bmd_maintenance_type_name_idx ON bmd_maintenance (type_name);
CREATE INDEX bmd_maintenance_group_name_idx ON bmd_maintenance (group_name);

DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT * FROM (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
        ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) v (op, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON bmd_maintenance REFERENCING %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION bmd_notify_change(''maintenance_id'')', 'bmd_maintenance_notify_' || o.op, o.op, o.tables);
    END LOOP;
END
$$;
CREATE TRIGGER bmd_maintenance_notify_truncate AFTER TRUNCATE ON bmd_maintenance
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change('maintenance_id');

ALTER TABLE bmd_type_limit
    ADD COLUMN low_low double precision, ADD COLUMN high_high double precision, ADD COLUMN rises_after interval,
    ADD CONSTRAINT bmd_type_limit_low_low_is_below_low CHECK (low_low < low),
    ADD CONSTRAINT bmd_type_limit_high_high_is_above_high CHECK (high_high > high),
    ADD CONSTRAINT bmd_type_limit_rises_after_is_1_second_to_1_day
        CHECK (rises_after BETWEEN interval '1 second' AND interval '1 day');
COMMENT ON COLUMN bmd_type_limit.low_low IS 'Below it the priority is high; NULL: there is no such limit';
COMMENT ON COLUMN bmd_type_limit.high_high IS 'Above it the priority is high; NULL: there is no such limit';
COMMENT ON COLUMN bmd_type_limit.rises_after IS 'How long an alert may wait for an answer before its priority rises a step; NULL: it does not rise';
ALTER TABLE bmd_device_limit
    ADD COLUMN low_low double precision, ADD COLUMN high_high double precision, ADD COLUMN rises_after interval,
    ADD CONSTRAINT bmd_device_limit_low_low_is_below_low CHECK (low_low < low),
    ADD CONSTRAINT bmd_device_limit_high_high_is_above_high CHECK (high_high > high),
    ADD CONSTRAINT bmd_device_limit_rises_after_is_1_second_to_1_day
        CHECK (rises_after BETWEEN interval '1 second' AND interval '1 day'),
    DROP CONSTRAINT bmd_device_limit_prescribes_something,
    ADD CONSTRAINT bmd_device_limit_prescribes_something
        CHECK (num_nonnulls(low, high, hysteresis, delay, priority, latching, low_low, high_high, rises_after) > 0);
COMMENT ON COLUMN bmd_device_limit.low_low IS 'Below it the priority is high; NULL: standard. The end of the plausible range switches it off';
COMMENT ON COLUMN bmd_device_limit.high_high IS 'Above it the priority is high; NULL: standard. The end of the plausible range switches it off';
COMMENT ON COLUMN bmd_device_limit.rises_after IS 'How long an alert may wait for an answer before its priority rises a step; NULL: standard';

CREATE OR REPLACE VIEW bmd_limit AS
SELECT d.serial,
       m.metric,
       CASE WHEN p.low IS NULL THEN s.low ELSE p.low END AS low,
       CASE WHEN p.high IS NULL THEN s.high ELSE p.high END AS high,
       COALESCE(p.hysteresis, s.hysteresis, 0) AS hysteresis,
       COALESCE(p.delay, s.delay, interval '0') AS delay,
       COALESCE(p.priority, s.priority, 'high') AS priority,
       COALESCE(p.latching, s.latching, false) AS latching,
       COALESCE(p.low_low, s.low_low) AS low_low,
       COALESCE(p.high_high, s.high_high) AS high_high,
       COALESCE(p.rises_after, s.rises_after) AS rises_after
FROM bmd_device d
CROSS JOIN LATERAL (
    SELECT l.metric FROM bmd_type_limit l WHERE l.type_name = d.type_name
    UNION
    SELECT l.metric FROM bmd_device_limit l WHERE l.serial = d.serial) m
LEFT JOIN bmd_type_limit s ON s.type_name = d.type_name AND s.metric = m.metric
LEFT JOIN bmd_device_limit p ON p.serial = d.serial AND p.metric = m.metric;
COMMENT ON COLUMN bmd_limit.low_low IS 'Below it the priority is high; NULL: there is no such limit';
COMMENT ON COLUMN bmd_limit.high_high IS 'Above it the priority is high; NULL: there is no such limit';
COMMENT ON COLUMN bmd_limit.rises_after IS 'How long an alert may wait for an answer before its priority rises a step; NULL: it does not rise';

CREATE OR REPLACE FUNCTION bmd_check_limit_row() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    m    bmd_metric%ROWTYPE;
    side record;
BEGIN
    SELECT * INTO m FROM bmd_metric WHERE name = NEW.metric;
    IF NOT FOUND THEN
        RETURN NEW; -- the foreign key refuses it
    END IF;
    IF m.is_alarm THEN
        RAISE EXCEPTION '% is an alarm that devices raise themselves: it has no limits', m.name
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_metric_is_no_alarm',
                HINT = 'SELECT name FROM bmd_metric WHERE NOT is_alarm';
    END IF;
    FOR side IN SELECT * FROM (VALUES ('low', NEW.low), ('high', NEW.high), ('low_low', NEW.low_low),
        ('high_high', NEW.high_high)) v (name, value) LOOP
        IF side.value < m.min_value OR side.value > m.max_value THEN
            RAISE EXCEPTION '% limit % of % is outside the plausible range % to % %',
                side.name, side.value, m.name, m.min_value, m.max_value, m.ucum
                USING ERRCODE = 'check_violation',
                    CONSTRAINT = TG_TABLE_NAME || '_limit_is_plausible',
                    HINT = format('Give a number from %s to %s in %s, or NULL for no limit.',
                        m.min_value, m.max_value, m.ucum);
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;

-- As before, with bmd_maintenance and the view of the report.
CREATE OR REPLACE FUNCTION bmd_grant_server(a_role name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), a_role);
    FOREACH t IN ARRAY ARRAY['bmd_schema_version', 'bmd_metric', 'bmd_device_type', 'bmd_type_limit',
        'bmd_patient', 'bmd_device', 'bmd_device_limit', 'bmd_limit', 'bmd_group', 'bmd_group_device',
        'bmd_technician', 'bmd_team', 'bmd_team_member', 'bmd_assignment', 'bmd_responsible',
        'bmd_feed_member', 'bmd_feed_watcher', 'bmd_readings', 'bmd_setting', 'bmd_change', 'bmd_alarm', 'bmd_alarm_report',
        'version', 'subscriber']
    LOOP
        EXECUTE format('GRANT SELECT ON %I TO %I', t, a_role);
    END LOOP;
    EXECUTE format('GRANT SELECT, INSERT ON bmd_reading, bmd_alert_event, bmd_device_seen, bmd_set_aside, bmd_delivery TO %I', a_role);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON bmd_waiting TO %I', a_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON bmd_alert, bmd_collector_state, bmd_writer, bmd_maintenance TO %I', a_role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION bmd_ensure_partitions(integer), bmd_ensure_partition(date), '
        'bmd_drop_old_partition(), bmd_drop_old_deliveries() TO %I', a_role);
    FOREACH t IN ARRAY ARRAY['location', 'presentity', 'active_watchers', 'watchers', 'xcap', 'location_attrs']
    LOOP
        CONTINUE WHEN to_regclass(t) IS NULL;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, a_role);
        EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %I TO %I', t || '_id_seq', a_role);
    END LOOP;
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), a_role);
END
$$;

-- A role that has the rights of an earlier version gets the new ones with the migration.
DO $$
DECLARE
    a_role name;
BEGIN
    FOR a_role IN
        SELECT DISTINCT r.rolname FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.oid = 'bmd_ensure_partitions(integer)'::regprocedure AND a.grantee <> p.proowner
    LOOP
        PERFORM bmd_grant_server(a_role);
    END LOOP;
END
$$;
