-- 0013_bmd_waiting.sql - conditions that wait for their delay, so that a restart does not begin it anew.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Set in the transaction of the readings that begin or end the wait, and read at the server's
-- start.  Few rows: only what is wrong now and not yet for as long as its limit's delay.

CREATE TABLE bmd_waiting (
    device_id integer     NOT NULL,
    metric_id smallint    NOT NULL,
    condition text        NOT NULL,
    since     timestamptz NOT NULL,
    CONSTRAINT bmd_waiting_pkey PRIMARY KEY (device_id, metric_id, condition),
    CONSTRAINT bmd_waiting_condition_is_known CHECK (condition IN ('low', 'high', 'invalid'))
);
COMMENT ON TABLE bmd_waiting IS 'Conditions that have not lasted for the delay of their limit yet; written by the server';
COMMENT ON COLUMN bmd_waiting.device_id IS 'bmd_device.device_id';
COMMENT ON COLUMN bmd_waiting.metric_id IS 'bmd_metric.metric_id';
COMMENT ON COLUMN bmd_waiting.condition IS 'low, high or invalid';
COMMENT ON COLUMN bmd_waiting.since IS 'When it began, by the readings'' times; never after their arrival';

CREATE OR REPLACE FUNCTION bmd_grant_server(a_role name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), a_role);
    FOREACH t IN ARRAY ARRAY['bmd_schema_version', 'bmd_metric', 'bmd_device_type', 'bmd_type_limit',
        'bmd_patient', 'bmd_device', 'bmd_device_limit', 'bmd_limit', 'bmd_group', 'bmd_group_device',
        'bmd_technician', 'bmd_team', 'bmd_team_member', 'bmd_assignment', 'bmd_responsible',
        'bmd_feed_member', 'bmd_feed_watcher', 'bmd_readings', 'bmd_change', 'version', 'subscriber']
    LOOP
        EXECUTE format('GRANT SELECT ON %I TO %I', t, a_role);
    END LOOP;
    EXECUTE format('GRANT SELECT, INSERT ON bmd_reading, bmd_alert_event, bmd_device_seen TO %I', a_role);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON bmd_waiting TO %I', a_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON bmd_alert, bmd_collector_state, bmd_writer TO %I', a_role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION bmd_ensure_partitions(integer) TO %I', a_role);
    FOREACH t IN ARRAY ARRAY['location', 'presentity', 'active_watchers', 'watchers', 'xcap', 'location_attrs']
    LOOP
        CONTINUE WHEN to_regclass(t) IS NULL;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, a_role);
        EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %I TO %I', t || '_id_seq', a_role);
    END LOOP;
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), a_role);
END
$$;

-- Roles that were granted their rights before need the new one, too.
DO $$
DECLARE
    r name;
BEGIN
    FOR r IN SELECT DISTINCT g.grantee FROM information_schema.role_table_grants g
        WHERE g.table_schema = current_schema() AND g.table_name = 'bmd_device_seen'
            AND g.privilege_type = 'INSERT' AND g.grantee <> current_user
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON bmd_waiting TO %I', r);
    END LOOP;
END
$$;
