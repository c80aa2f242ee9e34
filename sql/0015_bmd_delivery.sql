-- 0015_bmd_delivery.sql - which alert reached whom, and what the terminal answered.
-- SPDX-License-Identifier: GPL-2.0-or-later

-- pg_temp last: functions that run with their owner's rights must not find a caller's temporary table.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE bmd_delivery (
    alert_id    uuid        NOT NULL,
    revision    integer     NOT NULL,
    username    text        NOT NULL,
    way         text        NOT NULL,
    terminal    text        NOT NULL,
    sent_at     timestamptz NOT NULL,
    answered_at timestamptz NOT NULL,
    code        smallint    NOT NULL
);
COMMENT ON TABLE bmd_delivery IS 'Every attempt to tell a terminal of an alert, with its outcome; written in the order of the answers';
COMMENT ON COLUMN bmd_delivery.alert_id IS 'bmd_alert.alert_id';
COMMENT ON COLUMN bmd_delivery.revision IS 'State of the alert that was told: bmd_alert_event.revision';
COMMENT ON COLUMN bmd_delivery.username IS 'Technician whose terminal it is';
COMMENT ON COLUMN bmd_delivery.way IS 'subscription: by NOTIFY';
COMMENT ON COLUMN bmd_delivery.terminal IS 'Address the message was sent to; empty when it could not be sent';
COMMENT ON COLUMN bmd_delivery.sent_at IS 'When the message was made';
COMMENT ON COLUMN bmd_delivery.answered_at IS 'When its final answer came, or was given up';
COMMENT ON COLUMN bmd_delivery.code IS 'Final SIP status; 408 when the terminal did not answer, 999 when the message could not be sent at all';
CREATE INDEX bmd_delivery_alert_id_idx ON bmd_delivery (alert_id);
CREATE INDEX bmd_delivery_sent_at_idx ON bmd_delivery USING brin (sent_at);

CREATE VIEW bmd_delivered AS
    SELECT alert_id, username, min(answered_at) FILTER (WHERE code BETWEEN 200 AND 299) AS delivered_at,
           count(*) FILTER (WHERE code NOT BETWEEN 200 AND 299) AS failures
    FROM bmd_delivery GROUP BY alert_id, username;
COMMENT ON VIEW bmd_delivered IS 'By alert and technician: when a terminal first took it (NULL: none has), and how often one did not';
COMMENT ON COLUMN bmd_delivered.alert_id IS 'bmd_alert.alert_id';
COMMENT ON COLUMN bmd_delivered.username IS 'Technician';
COMMENT ON COLUMN bmd_delivered.delivered_at IS 'First time a terminal of the technician answered with 2xx';
COMMENT ON COLUMN bmd_delivered.failures IS 'Attempts that ended otherwise';

ALTER TABLE bmd_setting DROP CONSTRAINT bmd_setting_name_is_known;
ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_name_is_known
    CHECK (name IN ('keep_readings_days', 'keep_deliveries_days'));
COMMENT ON COLUMN bmd_setting.name IS 'keep_readings_days, keep_deliveries_days: whole days (UTC) before today whose rows are kept; 0: for ever';
INSERT INTO bmd_setting VALUES ('keep_deliveries_days', 0);

-- A piece at a time, so that no transaction is long.
CREATE FUNCTION bmd_drop_old_deliveries() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    keep    integer := COALESCE((SELECT value FROM bmd_setting WHERE name = 'keep_deliveries_days'), 0);
    dropped integer := 0;
BEGIN
    IF keep > 0 THEN
        DELETE FROM bmd_delivery WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM bmd_delivery
            WHERE sent_at < ((now() AT TIME ZONE 'UTC')::date - keep)::timestamp AT TIME ZONE 'UTC'
            LIMIT 10000));
        GET DIAGNOSTICS dropped = ROW_COUNT;
    END IF;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION bmd_drop_old_deliveries() IS 'Deletes at most 10,000 deliveries that the setting keep_deliveries_days does not keep; returns how many';
REVOKE ALL ON FUNCTION bmd_drop_old_deliveries() FROM PUBLIC;

-- As before, with bmd_delivery and the function above.
CREATE OR REPLACE FUNCTION bmd_grant_server(a_role name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), a_role);
    FOREACH t IN ARRAY ARRAY['bmd_schema_version', 'bmd_metric', 'bmd_device_type', 'bmd_type_limit',
        'bmd_patient', 'bmd_device', 'bmd_device_limit', 'bmd_limit', 'bmd_group', 'bmd_group_device',
        'bmd_technician', 'bmd_team', 'bmd_team_member', 'bmd_assignment', 'bmd_responsible',
        'bmd_feed_member', 'bmd_feed_watcher', 'bmd_readings', 'bmd_setting', 'bmd_change', 'version', 'subscriber']
    LOOP
        EXECUTE format('GRANT SELECT ON %I TO %I', t, a_role);
    END LOOP;
    EXECUTE format('GRANT SELECT, INSERT ON bmd_reading, bmd_alert_event, bmd_device_seen, bmd_set_aside, bmd_delivery TO %I', a_role);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON bmd_waiting TO %I', a_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON bmd_alert, bmd_collector_state, bmd_writer TO %I', a_role);
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
