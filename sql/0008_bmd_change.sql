-- 0008_bmd_change.sql - tell running servers what was provisioned.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- NOTIFY bmd_change, 'TABLE:KEY' for each key touched by a statement, old and new;
-- 'TABLE:*' (read the whole table) when more than 200 rows were touched, and for TRUNCATE.

CREATE FUNCTION bmd_notify_change() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    key_column CONSTANT text := TG_ARGV[0];
    rows_now   integer;
    source     text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM pg_notify('bmd_change', TG_TABLE_NAME || ':*');
        RETURN NULL;
    END IF;
    source := CASE TG_OP WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %I LIMIT 201) s', source) INTO rows_now;
    IF rows_now > 200 THEN
        PERFORM pg_notify('bmd_change', TG_TABLE_NAME || ':*');
        RETURN NULL;
    END IF;
    source := format('SELECT %I AS key FROM %I', key_column, source);
    IF TG_OP = 'UPDATE' THEN
        source := source || format(' UNION SELECT %I FROM old_rows', key_column);
    END IF;
    EXECUTE format('SELECT pg_notify(''bmd_change'', %L || key::text) FROM (SELECT DISTINCT key FROM (%s) t) u',
        TG_TABLE_NAME || ':', source);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_notify_change() IS 'Statement trigger: NOTIFY bmd_change with TABLE:KEY or TABLE:*; its argument is the key column';

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('bmd_device_type', 'type_name'), ('bmd_type_limit', 'type_name'),
        ('bmd_patient', 'patient_id'), ('bmd_device', 'serial'), ('bmd_device_limit', 'serial'),
        ('bmd_group', 'group_name'), ('bmd_group_device', 'group_name'),
        ('bmd_technician', 'username'), ('bmd_team', 'team_name'),
        ('bmd_team_member', 'team_name'), ('bmd_assignment', 'assignment_id')) v (name, key)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows '
            'FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change(%L)',
            t.name || '_notify_insert', t.name, t.key);
        EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I '
            'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
            'FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change(%L)',
            t.name || '_notify_update', t.name, t.key);
        EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows '
            'FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change(%L)',
            t.name || '_notify_delete', t.name, t.key);
        EXECUTE format('CREATE TRIGGER %I AFTER TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change(%L)',
            t.name || '_notify_truncate', t.name, t.key);
    END LOOP;
END
$$;
