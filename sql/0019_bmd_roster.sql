-- 0019_bmd_roster.sql - the hospital's clock, rosters of teams, escalation policies.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Shifts and hours follow the wall clock of a place: a hand-over at 08:00 stays at 08:00 when the
-- clocks change, and the shift across the change is longer or shorter.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE FUNCTION bmd_is_time_zone(a_name text) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = a_name AND name !~ '^(posix|right)/|^(localtime|posixrules)$') $$;
COMMENT ON FUNCTION bmd_is_time_zone(text) IS 'Is it the name of a time zone, such as Europe/Berlin?';

CREATE FUNCTION bmd_check_time_zone() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    zone text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF NOT bmd_is_time_zone(zone) THEN
        RAISE EXCEPTION '"%" is no time zone', zone
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_time_zone_is_known',
                HINT = 'Names are those of SELECT name FROM pg_timezone_names, such as Europe/Berlin.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_check_time_zone() IS 'Row trigger: refuses a time zone that is not known; its argument is the column';

-- Settings of the hospital are words, not numbers.
ALTER TABLE bmd_setting ADD COLUMN text_value text;
ALTER TABLE bmd_setting ALTER COLUMN value DROP NOT NULL;
DO $$
DECLARE
    known text := (SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint
                   WHERE conname = 'bmd_setting_name_is_known' AND conrelid = 'bmd_setting'::regclass);
BEGIN
    ALTER TABLE bmd_setting DROP CONSTRAINT bmd_setting_name_is_known;
    EXECUTE format('ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_name_is_known '
        'CHECK ((%s) OR name IN (''time_zone'', ''default_team''))', known);
    EXECUTE format('COMMENT ON COLUMN bmd_setting.name IS %L',
        col_description('bmd_setting'::regclass, 1) || '. time_zone: the hospital''s, such as Europe/Berlin. '
        'default_team: of the alerts of devices that nobody is responsible for; empty: none');
END
$$;
ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_has_words_or_a_number
    CHECK (num_nonnulls(value, text_value) = 1);
ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_time_zone_and_default_team_are_words
    CHECK ((name IN ('time_zone', 'default_team')) = (text_value IS NOT NULL));
COMMENT ON COLUMN bmd_setting.text_value IS 'Its value where that is words: time_zone, default_team';
INSERT INTO bmd_setting (name, text_value) VALUES ('time_zone', 'Etc/UTC'), ('default_team', '');

CREATE FUNCTION bmd_check_default_team() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.text_value <> '' AND NOT EXISTS (SELECT FROM bmd_team t WHERE t.team_name = NEW.text_value) THEN
        RAISE EXCEPTION 'there is no team "%"', NEW.text_value
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'bmd_setting_default_team_exists';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_check_default_team() IS 'Row trigger: refuses a default team that does not exist';
CREATE TRIGGER bmd_setting_time_zone AFTER INSERT OR UPDATE ON bmd_setting
    FOR EACH ROW WHEN (NEW.name = 'time_zone') EXECUTE FUNCTION bmd_check_time_zone('text_value');
CREATE TRIGGER bmd_setting_default_team AFTER INSERT OR UPDATE ON bmd_setting
    FOR EACH ROW WHEN (NEW.name = 'default_team') EXECUTE FUNCTION bmd_check_default_team();

-- A number stands for the team where its name would not fit.
ALTER TABLE bmd_team ADD COLUMN team_id integer GENERATED ALWAYS AS IDENTITY;
ALTER TABLE bmd_team ADD CONSTRAINT bmd_team_team_id_key UNIQUE (team_id);
COMMENT ON COLUMN bmd_team.team_id IS 'Number given by the database';

CREATE FUNCTION bmd_are_days(a_days smallint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT cardinality(a_days) > 0 AND a_days <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[]
        AND array_position(a_days, NULL) IS NULL $$;
COMMENT ON FUNCTION bmd_are_days(smallint[]) IS 'Are they days of the week, 1 (Monday) to 7 (Sunday), at least one?';

CREATE TABLE bmd_roster (
    team_name text NOT NULL,
    time_zone text,
    CONSTRAINT bmd_roster_pkey PRIMARY KEY (team_name),
    CONSTRAINT bmd_roster_team_name_fkey FOREIGN KEY (team_name)
        REFERENCES bmd_team ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE bmd_roster IS 'A team has somebody on call: its layers and overrides say who';
COMMENT ON COLUMN bmd_roster.team_name IS 'Team';
COMMENT ON COLUMN bmd_roster.time_zone IS 'Whose wall clock shifts and hours follow; NULL: the hospital''s (bmd_setting time_zone)';
CREATE TRIGGER bmd_roster_time_zone AFTER INSERT OR UPDATE ON bmd_roster
    FOR EACH ROW WHEN (NEW.time_zone IS NOT NULL) EXECUTE FUNCTION bmd_check_time_zone('time_zone');

CREATE TABLE bmd_roster_layer (
    layer_id    integer    GENERATED ALWAYS AS IDENTITY,
    team_name   text       NOT NULL,
    position    integer    NOT NULL,
    layer_name  text       NOT NULL,
    starts_on   date       NOT NULL,
    hand_over   time       NOT NULL DEFAULT '08:00',
    shift       interval   NOT NULL DEFAULT interval '7 days',
    days        smallint[] NOT NULL DEFAULT ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[],
    hours_from  time       NOT NULL DEFAULT '00:00',
    hours_until time       NOT NULL DEFAULT '24:00',
    CONSTRAINT bmd_roster_layer_pkey PRIMARY KEY (layer_id),
    CONSTRAINT bmd_roster_layer_position_is_unique UNIQUE (team_name, position) DEFERRABLE,
    CONSTRAINT bmd_roster_layer_team_has_a_roster FOREIGN KEY (team_name)
        REFERENCES bmd_roster ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_roster_layer_name_has_1_to_31_bytes CHECK (octet_length(layer_name) BETWEEN 1 AND 31),
    CONSTRAINT bmd_roster_layer_name_has_no_control_characters
        CHECK (layer_name !~ '[\x01-\x1f\x7f\ufffe\uffff]'),
    CONSTRAINT bmd_roster_layer_shift_is_1_hour_to_366_days_without_months CHECK (
        EXTRACT(YEAR FROM shift) = 0 AND EXTRACT(MONTH FROM shift) = 0
        AND shift BETWEEN interval '1 hour' AND interval '366 days'),
    CONSTRAINT bmd_roster_layer_starts_between_1970_and_2100
        CHECK (starts_on BETWEEN '1970-01-01' AND '2100-01-01'),
    CONSTRAINT bmd_roster_layer_hand_over_is_before_24_00 CHECK (hand_over < '24:00'),
    CONSTRAINT bmd_roster_layer_hours_from_is_before_24_00 CHECK (hours_from < '24:00'),
    CONSTRAINT bmd_roster_layer_days_are_1_to_7 CHECK (bmd_are_days(days))
);
COMMENT ON TABLE bmd_roster_layer IS 'People who take turns; of layers that cover a time the one with the highest position counts';
COMMENT ON COLUMN bmd_roster_layer.layer_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_roster_layer.team_name IS 'Whose roster';
COMMENT ON COLUMN bmd_roster_layer.position IS 'Order: higher ones win where they cover';
COMMENT ON COLUMN bmd_roster_layer.layer_name IS 'For people, 1 to 31 bytes';
COMMENT ON COLUMN bmd_roster_layer.starts_on IS 'Day of the first shift; before it the layer covers nothing';
COMMENT ON COLUMN bmd_roster_layer.hand_over IS 'When shifts begin on that day; on the wall clock';
COMMENT ON COLUMN bmd_roster_layer.shift IS 'Length of a shift on the wall clock: 12 hours, 1 day, 7 days';
COMMENT ON COLUMN bmd_roster_layer.days IS 'It covers only hours that begin on these days: 1 Monday to 7 Sunday';
COMMENT ON COLUMN bmd_roster_layer.hours_from IS 'It covers only from then on';
COMMENT ON COLUMN bmd_roster_layer.hours_until IS 'up to the next time it is this; the same as hours_from: 24 hours';

CREATE TABLE bmd_roster_member (
    layer_id integer NOT NULL,
    position integer NOT NULL,
    username text    NOT NULL,
    CONSTRAINT bmd_roster_member_pkey PRIMARY KEY (layer_id, position),
    CONSTRAINT bmd_roster_member_layer_id_fkey FOREIGN KEY (layer_id)
        REFERENCES bmd_roster_layer ON DELETE CASCADE,
    CONSTRAINT bmd_roster_member_technician_is_in_a_roster FOREIGN KEY (username)
        REFERENCES bmd_technician ON UPDATE CASCADE
);
COMMENT ON TABLE bmd_roster_member IS 'Who takes turns in a layer; without any the layer covers nothing. A technician in it cannot be deleted: everybody''s turns would change';
COMMENT ON COLUMN bmd_roster_member.layer_id IS 'Layer';
COMMENT ON COLUMN bmd_roster_member.position IS 'Order of the turns';
COMMENT ON COLUMN bmd_roster_member.username IS 'Technician; may have several turns';
CREATE INDEX bmd_roster_member_username_idx ON bmd_roster_member (username);

CREATE TABLE bmd_roster_override (
    override_id bigint      GENERATED ALWAYS AS IDENTITY,
    team_name   text        NOT NULL,
    username    text        NOT NULL,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    why         text        NOT NULL DEFAULT '',
    CONSTRAINT bmd_roster_override_pkey PRIMARY KEY (override_id),
    CONSTRAINT bmd_roster_override_team_has_a_roster FOREIGN KEY (team_name)
        REFERENCES bmd_roster ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_roster_override_username_fkey FOREIGN KEY (username)
        REFERENCES bmd_technician ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_roster_override_ends_after_it_starts CHECK (ends_at > starts_at),
    CONSTRAINT bmd_roster_override_lies_between_1970_and_2100
        CHECK (starts_at >= '1970-01-01 00:00+00' AND ends_at <= '2100-01-01 00:00+00')
);
COMMENT ON TABLE bmd_roster_override IS 'Somebody stands in; before all layers, and the one created last before others';
COMMENT ON COLUMN bmd_roster_override.override_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_roster_override.team_name IS 'Whose roster';
COMMENT ON COLUMN bmd_roster_override.username IS 'Technician who stands in';
COMMENT ON COLUMN bmd_roster_override.starts_at IS 'From then on';
COMMENT ON COLUMN bmd_roster_override.ends_at IS 'up to then';
COMMENT ON COLUMN bmd_roster_override.created_at IS 'When it was made: of those that overlap the latest counts';
COMMENT ON COLUMN bmd_roster_override.why IS 'For people';
CREATE INDEX bmd_roster_override_team_name_idx ON bmd_roster_override (team_name, ends_at);
CREATE INDEX bmd_roster_override_username_idx ON bmd_roster_override (username);

CREATE TABLE bmd_escalation_policy (
    policy_id    integer    GENERATED ALWAYS AS IDENTITY,
    policy_name  text       NOT NULL,
    priority     text,
    type_name    text,
    group_name   text,
    days         smallint[] NOT NULL DEFAULT ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[],
    hours_from   time       NOT NULL DEFAULT '00:00',
    hours_until  time       NOT NULL DEFAULT '24:00',
    repeat_after interval   NOT NULL,
    CONSTRAINT bmd_escalation_policy_pkey PRIMARY KEY (policy_id),
    CONSTRAINT bmd_escalation_policy_name_is_unique UNIQUE (policy_name),
    CONSTRAINT bmd_escalation_policy_name_has_1_to_31_bytes CHECK (octet_length(policy_name) BETWEEN 1 AND 31),
    CONSTRAINT bmd_escalation_policy_name_has_no_control_characters
        CHECK (policy_name !~ '[\x01-\x1f\x7f\ufffe\uffff]'),
    CONSTRAINT bmd_escalation_policy_name_is_not_default CHECK (policy_name <> 'default'),
    CONSTRAINT bmd_escalation_policy_priority_is_high_medium_or_low
        CHECK (priority IN ('high', 'medium', 'low')),
    CONSTRAINT bmd_escalation_policy_type_name_fkey FOREIGN KEY (type_name)
        REFERENCES bmd_device_type ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_escalation_policy_group_name_fkey FOREIGN KEY (group_name)
        REFERENCES bmd_group ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_escalation_policy_hours_from_is_before_24_00 CHECK (hours_from < '24:00'),
    CONSTRAINT bmd_escalation_policy_days_are_1_to_7 CHECK (bmd_are_days(days)),
    CONSTRAINT bmd_escalation_policy_repeat_after_is_1_second_to_1_day
        CHECK (repeat_after BETWEEN interval '1 second' AND interval '1 day')
);
COMMENT ON TABLE bmd_escalation_policy IS 'Whom an alert goes to when nobody answers. The most specific one that fits counts: with a group before with a type, priority, hours; of equals the oldest. None fits: high 30 s, medium 3 min, low 15 min between responsible technicians, on-call and whole team';
COMMENT ON COLUMN bmd_escalation_policy.policy_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_escalation_policy.policy_name IS 'Name, 1 to 31 bytes; "default" is the built-in one';
COMMENT ON COLUMN bmd_escalation_policy.priority IS 'For alerts of this priority; NULL: any';
COMMENT ON COLUMN bmd_escalation_policy.type_name IS 'For devices of this type; NULL: any';
COMMENT ON COLUMN bmd_escalation_policy.group_name IS 'For devices of this group; NULL: any';
COMMENT ON COLUMN bmd_escalation_policy.days IS 'For alerts raised in hours that begin on these days, by the hospital''s clock: 1 Monday to 7 Sunday';
COMMENT ON COLUMN bmd_escalation_policy.hours_from IS 'For alerts raised from then on';
COMMENT ON COLUMN bmd_escalation_policy.hours_until IS 'up to the next time it is this; the same as hours_from: 24 hours';
COMMENT ON COLUMN bmd_escalation_policy.repeat_after IS 'The last step is repeated after this time, until somebody answers';

CREATE TABLE bmd_escalation_step (
    policy_id  integer  NOT NULL,
    position   integer  NOT NULL,
    after      interval NOT NULL,
    whom       text     NOT NULL,
    team_name  text,
    username   text,
    group_name text,
    how        text[]   NOT NULL DEFAULT ARRAY['subscribe', 'message'],
    CONSTRAINT bmd_escalation_step_pkey PRIMARY KEY (policy_id, position),
    CONSTRAINT bmd_escalation_step_policy_id_fkey FOREIGN KEY (policy_id)
        REFERENCES bmd_escalation_policy ON DELETE CASCADE,
    CONSTRAINT bmd_escalation_step_after_is_0_to_1_day
        CHECK (after BETWEEN interval '0' AND interval '1 day'),
    CONSTRAINT bmd_escalation_step_whom_is_known
        CHECK (whom IN ('responsible', 'on-call', 'team', 'person', 'group')),
    CONSTRAINT bmd_escalation_step_names_a_person_exactly_when_for_one CHECK ((whom = 'person') = (username IS NOT NULL)),
    CONSTRAINT bmd_escalation_step_names_a_group_exactly_when_for_one CHECK ((whom = 'group') = (group_name IS NOT NULL)),
    CONSTRAINT bmd_escalation_step_names_a_team_only_for_on_call_and_team
        CHECK (team_name IS NULL OR whom IN ('on-call', 'team')),
    CONSTRAINT bmd_escalation_step_how_is_subscribe_message_or_call
        CHECK (cardinality(how) > 0 AND how <@ ARRAY['subscribe', 'message', 'call'] AND array_position(how, NULL) IS NULL),
    CONSTRAINT bmd_escalation_step_team_is_in_a_policy FOREIGN KEY (team_name)
        REFERENCES bmd_team ON UPDATE CASCADE,
    CONSTRAINT bmd_escalation_step_technician_is_in_a_policy FOREIGN KEY (username)
        REFERENCES bmd_technician ON UPDATE CASCADE,
    CONSTRAINT bmd_escalation_step_group_is_in_a_policy FOREIGN KEY (group_name)
        REFERENCES bmd_group ON UPDATE CASCADE
);
COMMENT ON TABLE bmd_escalation_step IS 'Steps of a policy, in the order of their positions';
COMMENT ON COLUMN bmd_escalation_step.policy_id IS 'Policy';
COMMENT ON COLUMN bmd_escalation_step.position IS 'Order';
COMMENT ON COLUMN bmd_escalation_step.after IS 'When it begins, since the alert was raised; not before the step before';
COMMENT ON COLUMN bmd_escalation_step.whom IS 'responsible: the technicians of the device; on-call: who is on call for the team; team: all of it; person; group: whoever watches its feed';
COMMENT ON COLUMN bmd_escalation_step.team_name IS 'Team of on-call and team; NULL: those responsible for the device, or default_team of bmd_setting';
COMMENT ON COLUMN bmd_escalation_step.username IS 'The person';
COMMENT ON COLUMN bmd_escalation_step.group_name IS 'The group';
COMMENT ON COLUMN bmd_escalation_step.how IS 'subscribe: their own feed shows the alert; message, call: beside that a SIP MESSAGE, a call';
CREATE INDEX bmd_escalation_step_team_name_idx ON bmd_escalation_step (team_name);
CREATE INDEX bmd_escalation_step_username_idx ON bmd_escalation_step (username);
CREATE INDEX bmd_escalation_step_group_name_idx ON bmd_escalation_step (group_name);

-- At the end of the transaction: policies and their steps are written by several statements.
CREATE FUNCTION bmd_check_policy() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    a_policy_id integer := (CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END ->> 'policy_id')::integer;
    a_name      text := (SELECT policy_name FROM bmd_escalation_policy WHERE policy_id = a_policy_id);
    early       integer;
BEGIN
    IF a_name IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM bmd_escalation_step WHERE policy_id = a_policy_id) THEN
        RAISE EXCEPTION 'the escalation policy "%" has no steps', a_name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bmd_escalation_policy_has_steps',
                HINT = 'INSERT INTO bmd_escalation_step in the same transaction.';
    END IF;
    SELECT position INTO early FROM (SELECT position, after, lag(after) OVER (ORDER BY position) AS before
        FROM bmd_escalation_step WHERE policy_id = a_policy_id) s WHERE after < before LIMIT 1;
    IF early IS NOT NULL THEN
        RAISE EXCEPTION 'step % of the escalation policy "%" begins before the step before it', early, a_name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bmd_escalation_step_after_does_not_decrease';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_check_policy() IS 'Constraint trigger: a policy has steps, in the order of their times';
CREATE CONSTRAINT TRIGGER bmd_escalation_policy_has_steps AFTER INSERT OR UPDATE ON bmd_escalation_policy
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bmd_check_policy();
CREATE CONSTRAINT TRIGGER bmd_escalation_step_is_in_order AFTER INSERT OR UPDATE OR DELETE ON bmd_escalation_step
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bmd_check_policy();

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT v.name, v.key, o.op, o.tables FROM (VALUES
        ('bmd_roster', 'team_name'), ('bmd_roster_layer', 'team_name'),
        ('bmd_roster_member', 'layer_id'), ('bmd_roster_override', 'team_name'),
        ('bmd_escalation_policy', 'policy_id'), ('bmd_escalation_step', 'policy_id')) v (name, key),
        (VALUES ('insert', 'REFERENCING NEW TABLE AS new_rows'), ('delete', 'REFERENCING OLD TABLE AS old_rows'),
            ('update', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'), ('truncate', '')) o (op, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON %I %s FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change(%L)',
            t.name || '_notify_' || t.op, t.op, t.name, t.tables, t.key);
    END LOOP;
END
$$;

CREATE TRIGGER bmd_setting_notify_truncate AFTER TRUNCATE ON bmd_setting
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change('name');

-- As before; of a group that a team is responsible for also grp.NAME, even if the team has no members.
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
            UNION SELECT ''grp.'' || group_name FROM %1$I WHERE group_name IS NOT NULL AND team_name IS NOT NULL
            UNION SELECT username FROM %1$I WHERE group_name IS NOT NULL
            UNION SELECT m.username FROM %1$I r JOIN bmd_team_member m ON m.team_name = r.team_name
            WHERE r.group_name IS NOT NULL) k', source) INTO keys;
        PERFORM bmd_notify_keys(TG_TABLE_NAME, keys);
    END LOOP;
    RETURN NULL;
END
$$;
