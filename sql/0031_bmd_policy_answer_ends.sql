-- 0031_bmd_policy_answer_ends.sql - an answer to somebody who asked ends with whom and what it was about.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Another person of the same name, another device of the same serial number, another patient: all ask again.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- With the owner's rights: who provisions devices need not be allowed to answer.
CREATE FUNCTION bmd_forget_policy_answers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'bmd_technician' THEN
        DELETE FROM bmd_policy_answer a WHERE OLD.username IN (a.username, a.feed);
    WHEN 'bmd_device' THEN
        DELETE FROM bmd_policy_answer a WHERE a.feed = 'dev.' || OLD.serial;
    ELSE
        DELETE FROM bmd_policy_answer a WHERE a.feed = 'grp.' || OLD.group_name;
    END CASE;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_forget_policy_answers() IS 'Deletes answers to or about a technician, a device or a group that was deleted or renamed, or a device that belongs to another patient';
REVOKE ALL ON FUNCTION bmd_forget_policy_answers() FROM PUBLIC;

CREATE FUNCTION bmd_forget_all_policy_answers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'bmd_technician' THEN
        DELETE FROM bmd_policy_answer a USING bmd_technician t WHERE t.username IN (a.username, a.feed);
    WHEN 'bmd_device' THEN
        DELETE FROM bmd_policy_answer a WHERE a.feed LIKE 'dev.%';
    ELSE
        DELETE FROM bmd_policy_answer a WHERE a.feed LIKE 'grp.%';
    END CASE;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_forget_all_policy_answers() IS 'The same of all of them, before they are truncated';
REVOKE ALL ON FUNCTION bmd_forget_all_policy_answers() FROM PUBLIC;

CREATE TRIGGER bmd_technician_answers_delete AFTER DELETE ON bmd_technician
    FOR EACH ROW EXECUTE FUNCTION bmd_forget_policy_answers();
CREATE TRIGGER bmd_technician_answers_update AFTER UPDATE ON bmd_technician
    FOR EACH ROW WHEN (OLD.username <> NEW.username) EXECUTE FUNCTION bmd_forget_policy_answers();
CREATE TRIGGER bmd_technician_answers_truncate BEFORE TRUNCATE ON bmd_technician
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_forget_all_policy_answers();
CREATE TRIGGER bmd_device_answers_delete AFTER DELETE ON bmd_device
    FOR EACH ROW EXECUTE FUNCTION bmd_forget_policy_answers();
CREATE TRIGGER bmd_device_answers_update AFTER UPDATE ON bmd_device
    FOR EACH ROW WHEN (OLD.serial <> NEW.serial OR OLD.patient_id IS DISTINCT FROM NEW.patient_id)
    EXECUTE FUNCTION bmd_forget_policy_answers();
CREATE TRIGGER bmd_device_answers_truncate BEFORE TRUNCATE ON bmd_device
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_forget_all_policy_answers();
CREATE TRIGGER bmd_group_answers_delete AFTER DELETE ON bmd_group
    FOR EACH ROW EXECUTE FUNCTION bmd_forget_policy_answers();
CREATE TRIGGER bmd_group_answers_update AFTER UPDATE ON bmd_group
    FOR EACH ROW WHEN (OLD.group_name <> NEW.group_name) EXECUTE FUNCTION bmd_forget_policy_answers();
CREATE TRIGGER bmd_group_answers_truncate BEFORE TRUNCATE ON bmd_group
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_forget_all_policy_answers();

-- those of people and feeds that are gone by now; of other domains people are not known here
DELETE FROM bmd_policy_answer a
WHERE (a.username !~ '@' AND NOT EXISTS (SELECT FROM bmd_technician t WHERE t.username = a.username))
    OR NOT CASE
        WHEN a.feed ~ '^dev\.' THEN EXISTS (SELECT FROM bmd_device d WHERE d.serial = substr(a.feed, 5))
        WHEN a.feed ~ '^grp\.' THEN EXISTS (SELECT FROM bmd_group g WHERE g.group_name = substr(a.feed, 5))
        ELSE EXISTS (SELECT FROM bmd_technician t WHERE t.username = a.feed) END;
