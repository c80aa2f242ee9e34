-- 0009_bmd_access.sql - passwords of technicians, and rights of the server's database role.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Needs Kamailio's own tables (bmd-migrate --kamailio-schema).  No password is stored, only the
-- digests that RFC 2617 needs: HA1, and HA1B for terminals that send user@domain as user name.

DO $$
DECLARE
    missing text;
BEGIN
    SELECT string_agg(t, ', ') INTO missing
    FROM unnest(ARRAY['version', 'subscriber', 'location', 'presentity', 'active_watchers', 'watchers']) t
    WHERE to_regclass(t) IS NULL;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'Kamailio''s tables are missing: %', missing
            USING HINT = 'Create them first: bmd-migrate --kamailio-schema /usr/share/kamailio/postgres';
    END IF;
END
$$;

-- pg_temp last: functions that run with their owner's rights must not find a caller's temporary table.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE FUNCTION bmd_set_password(a_username text, a_domain text, a_password text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM bmd_technician t WHERE t.username = a_username AND t.enabled) THEN
        RAISE EXCEPTION 'there is no enabled technician "%"', a_username
            USING ERRCODE = 'no_data_found', HINT = 'INSERT INTO bmd_technician first, or enable the technician.';
    END IF;
    IF a_domain IS NULL OR a_domain !~ '^[A-Za-z0-9.:\[\]-]{1,64}$' THEN
        RAISE EXCEPTION 'the domain must be a host name or an IP address of 1 to 64 characters'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF a_password IS NULL OR length(a_password) < 12 THEN
        RAISE EXCEPTION 'the password has less than 12 characters'
            USING ERRCODE = 'invalid_password', HINT = 'Generate one: openssl rand -base64 18';
    END IF;
    INSERT INTO subscriber (username, domain, password, ha1, ha1b)
    VALUES (a_username, a_domain, '',
        md5(a_username || ':' || a_domain || ':' || a_password),
        md5(a_username || '@' || a_domain || ':' || a_domain || ':' || a_password))
    ON CONFLICT (username, domain) DO UPDATE
    SET password = '', ha1 = EXCLUDED.ha1, ha1b = EXCLUDED.ha1b;
END
$$;
COMMENT ON FUNCTION bmd_set_password(text, text, text) IS 'Sets or changes the SIP password (at least 12 characters) of an enabled technician; arguments: username, domain (the digest realm), password';

-- A disabled or deleted person must not log on, whatever query the site's routing script uses: the
-- credential itself goes.  Enabling somebody again takes a new password.
CREATE FUNCTION bmd_revoke_credential() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM subscriber s WHERE s.username = OLD.username;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_revoke_credential() IS 'Deletes the SIP credential of a technician who was disabled, deleted or renamed';

CREATE TRIGGER bmd_technician_revoke_delete AFTER DELETE ON bmd_technician
    FOR EACH ROW EXECUTE FUNCTION bmd_revoke_credential();
CREATE TRIGGER bmd_technician_revoke_update AFTER UPDATE ON bmd_technician
    FOR EACH ROW WHEN (OLD.username <> NEW.username OR (OLD.enabled AND NOT NEW.enabled))
    EXECUTE FUNCTION bmd_revoke_credential();
CREATE FUNCTION bmd_revoke_all_credentials() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM subscriber s USING bmd_technician t WHERE s.username = t.username;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_revoke_all_credentials() IS 'Deletes the SIP credentials of all technicians before they are truncated';
CREATE TRIGGER bmd_technician_revoke_truncate BEFORE TRUNCATE ON bmd_technician
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_revoke_all_credentials();

CREATE FUNCTION bmd_grant_server(a_role name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), a_role);
    FOREACH t IN ARRAY ARRAY['bmd_schema_version', 'bmd_metric', 'bmd_device_type', 'bmd_type_limit',
        'bmd_patient', 'bmd_device', 'bmd_device_limit', 'bmd_limit', 'bmd_group', 'bmd_group_device',
        'bmd_technician', 'bmd_team', 'bmd_team_member', 'bmd_assignment', 'bmd_responsible',
        'bmd_feed_member', 'bmd_feed_watcher', 'bmd_readings', 'version', 'subscriber']
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
COMMENT ON FUNCTION bmd_grant_server(name) IS 'Grants a role what Kamailio and its bmd modules need, and no more';
REVOKE ALL ON FUNCTION bmd_set_password(text, text, text), bmd_grant_server(name) FROM PUBLIC;
