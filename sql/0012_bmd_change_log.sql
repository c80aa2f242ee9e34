-- 0012_bmd_change_log.sql - changes of provisioning are kept for a day.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A server that loads a million devices needs seconds for it, and hears nothing meanwhile.  It then
-- asks for what was committed since its snapshot, instead of reading everything again.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE bmd_change (
    change_id  bigint      GENERATED ALWAYS AS IDENTITY,
    xact       xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at         timestamptz NOT NULL DEFAULT now(),
    table_name text        NOT NULL,
    key        text        NOT NULL,
    CONSTRAINT bmd_change_pkey PRIMARY KEY (change_id)
);
COMMENT ON TABLE bmd_change IS 'What was notified on bmd_change; kept for a day, written by triggers';
COMMENT ON COLUMN bmd_change.change_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_change.xact IS 'Transaction of the change, to compare with a snapshot';
COMMENT ON COLUMN bmd_change.at IS 'When that transaction began';
COMMENT ON COLUMN bmd_change.table_name IS 'Table that was changed';
COMMENT ON COLUMN bmd_change.key IS 'Key as notified; * is the whole table';
CREATE INDEX bmd_change_xact_idx ON bmd_change (xact);
CREATE INDEX bmd_change_at_idx ON bmd_change (at);

-- With its owner's rights: who may provision need not have rights on bmd_change.
CREATE OR REPLACE FUNCTION bmd_notify_keys(a_table text, a_keys text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF pg_trigger_depth() = 0 THEN
        RAISE EXCEPTION 'bmd_notify_keys() is for triggers'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Change the table itself.';
    END IF;
    INSERT INTO bmd_change (table_name, key)
    SELECT a_table, k FROM (SELECT DISTINCT unnest(a_keys) AS k) s WHERE k IS NOT NULL;
    PERFORM pg_notify('bmd_change', a_table || ':' || k)
    FROM (SELECT DISTINCT unnest(a_keys) AS k) s WHERE k IS NOT NULL;
    DELETE FROM bmd_change c USING (SELECT o.change_id FROM bmd_change o
        WHERE o.at < now() - interval '1 day' LIMIT 10000 FOR UPDATE SKIP LOCKED) old
    WHERE c.change_id = old.change_id;
END
$$;

CREATE OR REPLACE FUNCTION bmd_notify_change() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    key_column CONSTANT text := TG_ARGV[0];
    rows_now   integer;
    source     text;
    keys       text[];
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM bmd_notify_keys(TG_TABLE_NAME, ARRAY['*']);
        RETURN NULL;
    END IF;
    source := CASE TG_OP WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %I LIMIT 5001) s', source) INTO rows_now;
    IF rows_now > 5000 THEN
        PERFORM bmd_notify_keys(TG_TABLE_NAME, ARRAY['*']);
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT array_agg(%I::text) FROM %I', key_column, source) INTO keys;
    PERFORM bmd_notify_keys(TG_TABLE_NAME, keys);
    IF TG_OP = 'UPDATE' THEN
        EXECUTE format('SELECT array_agg(%I::text) FROM old_rows', key_column) INTO keys;
        PERFORM bmd_notify_keys(TG_TABLE_NAME, keys);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION bmd_notify_assignment() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    sources  CONSTANT text[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY['new_rows']
        WHEN 'DELETE' THEN ARRAY['old_rows'] ELSE ARRAY['old_rows', 'new_rows'] END;
    source   text;
    rows_now integer;
    keys     text[];
BEGIN
    FOREACH source IN ARRAY sources LOOP
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %I LIMIT 5001) s', source) INTO rows_now;
        IF rows_now > 5000 THEN
            PERFORM bmd_notify_keys(TG_TABLE_NAME, ARRAY['*']);
            RETURN NULL;
        END IF;
        EXECUTE format('SELECT array_agg(key) FROM (
            SELECT ''dev.'' || serial AS key FROM %1$I WHERE serial IS NOT NULL
            UNION SELECT username FROM %1$I WHERE group_name IS NOT NULL
            UNION SELECT m.username FROM %1$I r JOIN bmd_team_member m ON m.team_name = r.team_name
            WHERE r.group_name IS NOT NULL) k', source) INTO keys;
        PERFORM bmd_notify_keys(TG_TABLE_NAME, keys);
    END LOOP;
    RETURN NULL;
END
$$;

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
        WHERE g.table_schema = current_schema() AND g.table_name = 'bmd_group_device'
            AND g.privilege_type = 'SELECT' AND g.grantee <> current_user
    LOOP
        EXECUTE format('GRANT SELECT ON bmd_change TO %I', r);
    END LOOP;
END
$$;
