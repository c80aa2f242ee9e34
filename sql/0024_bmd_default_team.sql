-- 0024_bmd_default_team.sql - the default team follows its team; what reaches the feed of a group.
-- SPDX-License-Identifier: GPL-2.0-or-later

-- pg_temp last: functions that run with their owner's rights must not find a caller's temporary table.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- One that was renamed or deleted before is nobody's name any more.
DO $$
DECLARE
    gone text := (SELECT text_value FROM bmd_setting WHERE name = 'default_team' AND text_value <> ''
                  AND NOT EXISTS (SELECT FROM bmd_team WHERE team_name = text_value));
BEGIN
    IF gone IS NOT NULL THEN
        UPDATE bmd_setting SET text_value = '' WHERE name = 'default_team';
        RAISE WARNING 'the default team "%" does not exist: there is none now', gone
            USING HINT = 'UPDATE bmd_setting SET text_value = ... WHERE name = ''default_team''.';
    END IF;
END
$$;

-- As before; the team stays until this transaction has ended, for which the owner's rights are needed.
CREATE OR REPLACE FUNCTION bmd_check_default_team() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.text_value = '' THEN
        RETURN NULL;
    END IF;
    PERFORM FROM bmd_team t WHERE t.team_name = NEW.text_value FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no team "%"', NEW.text_value
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'bmd_setting_default_team_exists';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION bmd_keep_default_team() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    a_team text := (SELECT text_value FROM bmd_setting WHERE name = 'default_team');
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE bmd_setting SET text_value = NEW.team_name WHERE name = 'default_team' AND text_value = OLD.team_name;
        RETURN NULL;
    END IF;
    IF a_team <> '' AND (TG_OP = 'TRUNCATE' OR a_team = OLD.team_name) THEN
        RAISE EXCEPTION 'the team "%" is the default team: alerts of devices without a team go to it', a_team
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'bmd_setting_default_team_exists',
                HINT = 'First: UPDATE bmd_setting SET text_value = another team, or '''' for none, WHERE name = ''default_team''.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_keep_default_team() IS 'Trigger: the default team is renamed with its team, which is not deleted';
-- After, so that it waits for whoever makes the team the default one meanwhile.
CREATE TRIGGER bmd_team_is_renamed_as_default AFTER UPDATE OF team_name ON bmd_team
    FOR EACH ROW WHEN (OLD.team_name <> NEW.team_name) EXECUTE FUNCTION bmd_keep_default_team();
CREATE TRIGGER bmd_team_stays_as_default AFTER DELETE ON bmd_team
    FOR EACH ROW EXECUTE FUNCTION bmd_keep_default_team();
CREATE TRIGGER bmd_team_stays_as_default_truncate AFTER TRUNCATE ON bmd_team
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_keep_default_team();

DO $$
BEGIN
    EXECUTE format('COMMENT ON COLUMN bmd_setting.name IS %L', replace(col_description('bmd_setting'::regclass, 1),
        'of the alerts of devices that nobody is responsible for', 'of the alerts of devices that no team is responsible for'));
END
$$;

-- A group has no telephone: a step for it shows the alert in its feed.  Pending checks of policies come first.
UPDATE bmd_escalation_step SET how = ARRAY['subscribe'] WHERE whom = 'group' AND how <> ARRAY['subscribe'];
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE bmd_escalation_step ADD CONSTRAINT bmd_escalation_step_of_a_group_is_by_subscribe_only
    CHECK (whom <> 'group' OR how = ARRAY['subscribe']);
COMMENT ON COLUMN bmd_escalation_step.how IS 'subscribe: their own feed shows the alert; message, call: beside that a SIP MESSAGE, a call. Of a group: {subscribe}, and somebody has to be assigned to it';
