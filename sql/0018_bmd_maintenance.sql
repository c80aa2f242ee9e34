-- 0018_bmd_maintenance.sql - maintenance windows, and limits beyond which the priority is higher.
-- SPDX-License-Identifier: GPL-2.0-or-later

-- pg_temp last: functions that run with their owner's rights must not find a caller's temporary table.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

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
