-- 0026_bmd_digest.sql - digests of passwords with SHA-256 (RFC 7616, RFC 8760), beside those with MD5.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- What a digest with SHA-256 is checked with cannot be derived from that with MD5: who has a password from before has
-- none of these, and logs on only where the site allows MD5, until the password is set again.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

ALTER TABLE subscriber
    ADD COLUMN ha1_sha256  varchar(64) NOT NULL DEFAULT '',
    ADD COLUMN ha1b_sha256 varchar(64) NOT NULL DEFAULT '';
COMMENT ON COLUMN subscriber.ha1_sha256 IS 'SHA-256 of username:domain:password in hexadecimal; empty: no log-on with SHA-256';
COMMENT ON COLUMN subscriber.ha1b_sha256 IS 'The same of username@domain:domain:password';

CREATE OR REPLACE FUNCTION bmd_set_password(a_username text, a_domain text, a_password text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    plain text := a_username || ':' || a_domain || ':' || a_password;
    long  text := a_username || '@' || a_domain || ':' || a_domain || ':' || a_password;
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
    INSERT INTO subscriber (username, domain, password, ha1, ha1b, ha1_sha256, ha1b_sha256)
    VALUES (a_username, a_domain, '', md5(plain), md5(long),
        encode(sha256(convert_to(plain, 'UTF8')), 'hex'), encode(sha256(convert_to(long, 'UTF8')), 'hex'))
    ON CONFLICT (username, domain) DO UPDATE
    SET password = '', ha1 = EXCLUDED.ha1, ha1b = EXCLUDED.ha1b,
        ha1_sha256 = EXCLUDED.ha1_sha256, ha1b_sha256 = EXCLUDED.ha1b_sha256;
END
$$;
