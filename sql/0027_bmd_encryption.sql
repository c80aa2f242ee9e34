-- 0027_bmd_encryption.sql - certificates of technicians, and who gets encrypted documents only.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Servers keep them in memory: what is sent to a person is encrypted also while the database is
-- away.  Whether a certificate is valid is decided when it is used, not here.

CREATE TABLE bmd_encryption (
    username       text    NOT NULL,
    certificate    text,
    encrypted_only boolean NOT NULL DEFAULT false,
    CONSTRAINT bmd_encryption_pkey PRIMARY KEY (username),
    CONSTRAINT bmd_encryption_username_fkey FOREIGN KEY (username)
        REFERENCES bmd_technician ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_encryption_certificate_is_one_pem_of_at_most_7500_bytes
        CHECK (octet_length(certificate) <= 7500
            AND certificate ~ '^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$'),
    CONSTRAINT bmd_encryption_says_something CHECK (certificate IS NOT NULL OR encrypted_only)
);
COMMENT ON TABLE bmd_encryption IS 'Technicians whose documents are signed and encrypted (S/MIME)';
COMMENT ON COLUMN bmd_encryption.username IS 'Technician';
COMMENT ON COLUMN bmd_encryption.certificate IS 'The person''s certificate in PEM form: what is sent to the person is encrypted for it. NULL: there is none';
COMMENT ON COLUMN bmd_encryption.encrypted_only IS 'True: without a certificate that is valid nothing of a patient is sent to this person, only that it is so';

DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT * FROM (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
        ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) v (op, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON bmd_encryption REFERENCING %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION bmd_notify_change(''username'')', 'bmd_encryption_notify_' || o.op, o.op, o.tables);
    END LOOP;
END
$$;
CREATE TRIGGER bmd_encryption_notify_truncate AFTER TRUNCATE ON bmd_encryption
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change('username');

CREATE FUNCTION bmd_grant_encryption(a_role name) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT ON bmd_encryption TO %I', a_role);
END
$$;
COMMENT ON FUNCTION bmd_grant_encryption(name) IS 'The part of bmd_grant_server() for certificates of technicians';
REVOKE ALL ON FUNCTION bmd_grant_encryption(name) FROM PUBLIC;

-- bmd_grant_server(), as it is, does this as well.
DO $$
DECLARE
    source text := pg_get_functiondef('bmd_grant_server(name)'::regprocedure);
    a_role name;
BEGIN
    EXECUTE regexp_replace(source, 'END;?\s*(\$\w*\$)\s*$', E'    PERFORM bmd_grant_encryption(a_role);\nEND\n\\1');
    FOR a_role IN
        SELECT DISTINCT r.rolname FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.oid = 'bmd_ensure_partitions(integer)'::regprocedure AND a.grantee <> p.proowner
    LOOP
        PERFORM bmd_grant_encryption(a_role);
    END LOOP;
END
$$;
