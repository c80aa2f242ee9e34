-- 0011_bmd_change_keys.sql - changes of memberships name whom they concern.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A server with a million devices must not read all memberships because one has changed.  So the
-- notifications of bmd_group_device name devices, those of bmd_team_member technicians, and those
-- of bmd_assignment the feeds that change: dev.SERIAL, or the technicians who get or lose a group.
-- And a statement may touch 5,000 rows, not 200, before it says '*' (read the whole table).

CREATE FUNCTION bmd_notify_keys(a_table text, a_keys text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bmd_change', a_table || ':' || k)
    FROM (SELECT DISTINCT unnest(a_keys) AS k) s WHERE k IS NOT NULL;
END
$$;
COMMENT ON FUNCTION bmd_notify_keys(text, text[]) IS 'NOTIFY bmd_change with TABLE:KEY for each key';

CREATE OR REPLACE FUNCTION bmd_notify_change() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    key_column CONSTANT text := TG_ARGV[0];
    rows_now   integer;
    source     text;
    keys       text[];
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM pg_notify('bmd_change', TG_TABLE_NAME || ':*');
        RETURN NULL;
    END IF;
    source := CASE TG_OP WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %I LIMIT 5001) s', source) INTO rows_now;
    IF rows_now > 5000 THEN
        PERFORM pg_notify('bmd_change', TG_TABLE_NAME || ':*');
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

-- Members of a team who go with it are named by bmd_team_member, whichever is deleted first.
CREATE FUNCTION bmd_notify_assignment() RETURNS trigger
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
            PERFORM pg_notify('bmd_change', TG_TABLE_NAME || ':*');
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
COMMENT ON FUNCTION bmd_notify_assignment() IS 'Statement trigger: NOTIFY bmd_change with bmd_assignment:dev.SERIAL, or bmd_assignment:USERNAME for each technician who gets or loses a group';

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT v.name, v.call, o.op, o.tables FROM (VALUES
        ('bmd_group_device', 'bmd_notify_change(''serial'')'),
        ('bmd_team_member', 'bmd_notify_change(''username'')'),
        ('bmd_assignment', 'bmd_notify_assignment()')) v (name, call),
        (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
            ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) o (op, tables)
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %I', t.name || '_notify_' || t.op, t.name);
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON %I REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION %s',
            t.name || '_notify_' || t.op, t.op, t.name, t.tables, t.call);
    END LOOP;
END
$$;
