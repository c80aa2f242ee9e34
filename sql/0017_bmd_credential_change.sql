-- 0017_bmd_credential_change.sql - tell running servers that a password was set or revoked.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Servers keep what digests are checked with in memory, so that people are recognised also while
-- the database is away.  The table is Kamailio's; the keys are user names.

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
        ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) o (op, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON subscriber REFERENCING %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION bmd_notify_change(''username'')',
            'subscriber_notify_' || t.op, t.op, t.tables);
    END LOOP;
END
$$;
CREATE TRIGGER subscriber_notify_truncate AFTER TRUNCATE ON subscriber
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change('username');
