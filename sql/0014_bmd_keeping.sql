-- 0014_bmd_keeping.sql - how long readings are kept, partitions one at a time, and rows the database refused.
-- SPDX-License-Identifier: GPL-2.0-or-later

-- pg_temp last: functions that run with their owner's rights must not find a caller's temporary table.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE bmd_setting (
    name  text    NOT NULL,
    value integer NOT NULL,
    CONSTRAINT bmd_setting_pkey PRIMARY KEY (name),
    CONSTRAINT bmd_setting_name_is_known CHECK (name IN ('keep_readings_days')),
    CONSTRAINT bmd_setting_value_is_0_to_36500 CHECK (value BETWEEN 0 AND 36500)
);
COMMENT ON TABLE bmd_setting IS 'Settings of the store; followed by a running server within a minute';
COMMENT ON COLUMN bmd_setting.name IS 'keep_readings_days: whole days (UTC) before today whose readings are kept; 0: for ever';
COMMENT ON COLUMN bmd_setting.value IS 'Its value';
INSERT INTO bmd_setting VALUES ('keep_readings_days', 0);

-- One day a call, so that the caller can bound each by lock_timeout: attaching needs the default
-- partition for itself.  Taken first, or rows that arrive meanwhile would forbid the attaching.
CREATE FUNCTION bmd_ensure_partition(a_day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    part         text := 'bmd_reading_' || to_char(a_day, 'YYYYMMDD');
    first_moment timestamptz := a_day::timestamp AT TIME ZONE 'UTC';
    next_moment  timestamptz := (a_day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF a_day IS NULL OR a_day NOT BETWEEN (now() AT TIME ZONE 'UTC')::date - 1 AND (now() AT TIME ZONE 'UTC')::date + 366 THEN
        RAISE EXCEPTION 'the day is %: yesterday to 366 days ahead is possible', a_day
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(quote_ident(part)) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('bmd_reading partitions'));
    IF to_regclass(quote_ident(part)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE bmd_reading)', part);
    IF to_regclass('bmd_reading_default') IS NOT NULL THEN
        LOCK TABLE bmd_reading_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('WITH stray AS (DELETE FROM bmd_reading_default '
            'WHERE received_at >= $1 AND received_at < $2 RETURNING *) '
            'INSERT INTO %I SELECT * FROM stray', part) USING first_moment, next_moment;
    END IF;
    EXECUTE format('ALTER TABLE bmd_reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        part, first_moment, next_moment);
    EXECUTE format('COMMENT ON TABLE %I IS %L', part, 'Readings that arrived on ' || a_day || ' (UTC)');
    RETURN true;
END
$$;
COMMENT ON FUNCTION bmd_ensure_partition(date) IS 'Creates the partition of bmd_reading of one day when it is missing; returns whether it was';

CREATE OR REPLACE FUNCTION bmd_ensure_partitions(days_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    created integer := 0;
BEGIN
    IF days_ahead IS NULL OR days_ahead NOT BETWEEN 0 AND 366 THEN
        RAISE EXCEPTION 'days_ahead is %: 0 to 366 is possible', days_ahead
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR n IN -1..days_ahead LOOP
        created := created + bmd_ensure_partition((now() AT TIME ZONE 'UTC')::date + n)::integer;
    END LOOP;
    RETURN created;
END
$$;

-- What the server may do: the days are the admin's setting, not an argument of the caller.
CREATE FUNCTION bmd_drop_old_partition() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    keep integer := COALESCE((SELECT value FROM bmd_setting WHERE name = 'keep_readings_days'), 0);
    part text;
BEGIN
    IF keep = 0 THEN
        RETURN NULL;
    END IF;
    SELECT c.relname INTO part FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'bmd_reading'::regclass AND c.relname ~ '^bmd_reading_[0-9]{8}$'
        AND c.relname < 'bmd_reading_' || to_char((now() AT TIME ZONE 'UTC')::date - keep, 'YYYYMMDD')
    ORDER BY c.relname LIMIT 1;
    IF part IS NOT NULL THEN
        EXECUTE format('DROP TABLE %I', part);
    ELSE
        DELETE FROM bmd_reading_default
        WHERE received_at < ((now() AT TIME ZONE 'UTC')::date - keep)::timestamp AT TIME ZONE 'UTC';
    END IF;
    RETURN part;
END
$$;
COMMENT ON FUNCTION bmd_drop_old_partition() IS 'Drops the oldest partition of bmd_reading that the setting keep_readings_days does not keep, and returns its name; NULL when there is none';
REVOKE ALL ON FUNCTION bmd_ensure_partition(date), bmd_drop_old_partition() FROM PUBLIC;

ALTER TABLE bmd_writer ADD COLUMN instance bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN bmd_writer.instance IS 'Which start of that server writes: an earlier one that still runs, or a second server of the same name, may not';

CREATE TABLE bmd_set_aside (
    set_aside_at timestamptz NOT NULL DEFAULT now(),
    node         text        NOT NULL,
    what         text        NOT NULL,
    device_id    integer     NOT NULL,
    alert_id     uuid,
    reason       text        NOT NULL,
    content      bytea       NOT NULL,
    CONSTRAINT bmd_set_aside_what_is_reading_or_alert_event CHECK (what IN ('reading', 'alert event'))
);
COMMENT ON TABLE bmd_set_aside IS 'Rows that bmd_reading or bmd_alert refused, so that everything else could be stored; look into them and delete them';
COMMENT ON COLUMN bmd_set_aside.set_aside_at IS 'When';
COMMENT ON COLUMN bmd_set_aside.node IS 'Server that set it aside';
COMMENT ON COLUMN bmd_set_aside.what IS 'reading or alert event';
COMMENT ON COLUMN bmd_set_aside.device_id IS 'bmd_device.device_id';
COMMENT ON COLUMN bmd_set_aside.alert_id IS 'Of an alert event; NULL for a reading';
COMMENT ON COLUMN bmd_set_aside.reason IS 'SQLSTATE, table and constraint';
COMMENT ON COLUMN bmd_set_aside.content IS 'The row as the server sent it: binary format of COPY; columns as in bmd_reading, or as in bmd_alert and then event, who, through, why';

-- As before, with bmd_setting, bmd_set_aside and the two functions above.
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
    EXECUTE format('GRANT SELECT, INSERT ON bmd_reading, bmd_alert_event, bmd_device_seen, bmd_set_aside TO %I', a_role);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON bmd_waiting TO %I', a_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON bmd_alert, bmd_collector_state, bmd_writer TO %I', a_role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION bmd_ensure_partitions(integer), bmd_ensure_partition(date), '
        'bmd_drop_old_partition() TO %I', a_role);
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
