-- 0028_bmd_policy.sql - who may see what: rules for watchers and resources, and answers to those who ask.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Who is responsible by bmd_assignment may watch without any rule here; nobody else may.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE bmd_role (
    role_name text NOT NULL,
    CONSTRAINT bmd_role_pkey PRIMARY KEY (role_name),
    CONSTRAINT bmd_role_name_has_1_to_31_letters_digits_dots_dashes
        CHECK (role_name ~ '^[A-Za-z0-9._-]{1,31}$')
);
COMMENT ON TABLE bmd_role IS 'What people are: trainee, night nurse, manufacturer; only for policies';
COMMENT ON COLUMN bmd_role.role_name IS 'Name, 1 to 31 of letters, digits, ".", "_", "-"';

CREATE TABLE bmd_role_member (
    role_name text NOT NULL,
    username  text NOT NULL,
    CONSTRAINT bmd_role_member_pkey PRIMARY KEY (role_name, username),
    CONSTRAINT bmd_role_member_role_name_fkey FOREIGN KEY (role_name)
        REFERENCES bmd_role ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_role_member_username_fkey FOREIGN KEY (username)
        REFERENCES bmd_technician ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE bmd_role_member IS 'Who has a role; a technician may have several';
COMMENT ON COLUMN bmd_role_member.role_name IS 'Role';
COMMENT ON COLUMN bmd_role_member.username IS 'Technician';
CREATE INDEX bmd_role_member_username_idx ON bmd_role_member (username);

CREATE TABLE bmd_area (
    area_name text NOT NULL,
    CONSTRAINT bmd_area_pkey PRIMARY KEY (area_name),
    CONSTRAINT bmd_area_name_has_1_to_30_letters_digits_dots_dashes
        CHECK (area_name ~ '^[A-Za-z0-9._-]{1,30}$')
);
COMMENT ON TABLE bmd_area IS 'Areas in which devices stand: a district, a building, a ward; only for policies, an area has no feed';
COMMENT ON COLUMN bmd_area.area_name IS 'Name, 1 to 30 of letters, digits, ".", "_", "-"';

CREATE TABLE bmd_area_device (
    area_name text NOT NULL,
    serial    text NOT NULL,
    CONSTRAINT bmd_area_device_pkey PRIMARY KEY (area_name, serial),
    CONSTRAINT bmd_area_device_area_name_fkey FOREIGN KEY (area_name)
        REFERENCES bmd_area ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_area_device_serial_fkey FOREIGN KEY (serial)
        REFERENCES bmd_device ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE bmd_area_device IS 'Devices of an area; a device may be in several';
COMMENT ON COLUMN bmd_area_device.area_name IS 'Area';
COMMENT ON COLUMN bmd_area_device.serial IS 'Device';
CREATE INDEX bmd_area_device_serial_idx ON bmd_area_device (serial);

CREATE TABLE bmd_policy_rule (
    rule_id            integer     GENERATED ALWAYS AS IDENTITY,
    username           text,
    role_name          text,
    team_name          text,
    domain             text,
    anyone             boolean     NOT NULL DEFAULT false,
    serial             text,
    patient_id         bigint,
    feed               text,
    group_name         text,
    area_name          text,
    type_name          text,
    everything         boolean     NOT NULL DEFAULT false,
    decision           text        NOT NULL,
    shown              text        NOT NULL DEFAULT 'full',
    most_subscriptions integer,
    valid_from         timestamptz,
    valid_until        timestamptz,
    days               smallint[]  NOT NULL DEFAULT ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[],
    hours_from         time        NOT NULL DEFAULT '00:00',
    hours_until        time        NOT NULL DEFAULT '24:00',
    why                text        NOT NULL DEFAULT '',
    CONSTRAINT bmd_policy_rule_pkey PRIMARY KEY (rule_id),
    CONSTRAINT bmd_policy_rule_names_one_person_role_team_domain_or_anyone
        CHECK (num_nonnulls(username, role_name, team_name, domain) + anyone::int = 1),
    CONSTRAINT bmd_policy_rule_names_one_resource_or_everything
        CHECK (num_nonnulls(serial, patient_id, feed, group_name, area_name, type_name) + everything::int = 1),
    CONSTRAINT bmd_policy_rule_decision_is_allow_confirm_block_or_polite_block
        CHECK (decision IN ('allow', 'confirm', 'block', 'polite-block')),
    CONSTRAINT bmd_policy_shown_is_full_no_identity_no_location_neither_count
        CHECK (shown IN ('full', 'no-identity', 'no-location', 'neither', 'count')),
    CONSTRAINT bmd_policy_rule_that_blocks_has_nothing_to_show_or_to_count
        CHECK (decision IN ('allow', 'confirm') OR (shown = 'full' AND most_subscriptions IS NULL)),
    CONSTRAINT bmd_policy_rule_most_subscriptions_is_1_to_1000
        CHECK (most_subscriptions BETWEEN 1 AND 1000),
    CONSTRAINT bmd_policy_rule_domain_is_a_host_name_or_an_asterisk
        CHECK (domain = '*' OR domain ~ '^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?$'),
    CONSTRAINT bmd_policy_rule_feed_is_a_user_name_dev_serial_or_grp_name
        CHECK (feed ~ '^((dev|grp)\.)?[A-Za-z0-9._-]{1,31}$'),
    CONSTRAINT bmd_policy_rule_valid_until_is_after_valid_from CHECK (valid_until > valid_from),
    CONSTRAINT bmd_policy_rule_valid_times_are_finite
        CHECK (isfinite(valid_from) AND isfinite(valid_until)),
    CONSTRAINT bmd_policy_rule_hours_from_is_before_24_00 CHECK (hours_from < '24:00'),
    CONSTRAINT bmd_policy_rule_days_are_1_to_7 CHECK (bmd_are_days(days)),
    CONSTRAINT bmd_policy_rule_why_has_no_control_characters CHECK (why !~ '[[:cntrl:]]'),
    CONSTRAINT bmd_policy_rule_username_fkey FOREIGN KEY (username)
        REFERENCES bmd_technician ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_policy_rule_role_name_fkey FOREIGN KEY (role_name)
        REFERENCES bmd_role ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_policy_rule_team_name_fkey FOREIGN KEY (team_name)
        REFERENCES bmd_team ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_policy_rule_serial_fkey FOREIGN KEY (serial)
        REFERENCES bmd_device ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_policy_rule_patient_id_fkey FOREIGN KEY (patient_id)
        REFERENCES bmd_patient ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_policy_rule_group_name_fkey FOREIGN KEY (group_name)
        REFERENCES bmd_group ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_policy_rule_area_name_fkey FOREIGN KEY (area_name)
        REFERENCES bmd_area ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_policy_rule_type_name_fkey FOREIGN KEY (type_name)
        REFERENCES bmd_device_type ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE bmd_policy_rule IS 'Who may see what. One rule decides, the most specific that fits: of a person before of a role or team; then the built-in one, by which the responsible may watch; then of anyone and of domains; within each of a device, a patient, a feed, a group, an area, a type, everything, in this order; then one that is for certain times; of equals the strictest: polite-block, block, confirm, allow; then what shows less, then fewer subscriptions. Without any nothing is allowed. bmd.policy explains it';
COMMENT ON COLUMN bmd_policy_rule.rule_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_policy_rule.username IS 'For this technician';
COMMENT ON COLUMN bmd_policy_rule.role_name IS 'For whoever has this role';
COMMENT ON COLUMN bmd_policy_rule.team_name IS 'For each member of this team';
COMMENT ON COLUMN bmd_policy_rule.domain IS 'For whoever was authenticated as somebody of this other domain, in small letters; *: of any other';
COMMENT ON COLUMN bmd_policy_rule.anyone IS 'For every enabled technician; not for people of other domains';
COMMENT ON COLUMN bmd_policy_rule.serial IS 'Of this device: its feed, and its alerts wherever they are told';
COMMENT ON COLUMN bmd_policy_rule.patient_id IS 'Of the devices of this patient';
COMMENT ON COLUMN bmd_policy_rule.feed IS 'Of this feed (user name, dev.SERIAL or grp.NAME) and all that it tells';
COMMENT ON COLUMN bmd_policy_rule.group_name IS 'Of the feed of this group, and of its devices';
COMMENT ON COLUMN bmd_policy_rule.area_name IS 'Of the devices of this area';
COMMENT ON COLUMN bmd_policy_rule.type_name IS 'Of the devices of this type';
COMMENT ON COLUMN bmd_policy_rule.everything IS 'Of every feed and device';
COMMENT ON COLUMN bmd_policy_rule.decision IS 'allow; confirm: pending until somebody approves (bmd.approve); block: refused like what does not exist; polite-block: taken, and shown a feed on which nothing happens';
COMMENT ON COLUMN bmd_policy_rule.shown IS 'full; no-identity: neither name nor address of the patient; no-location: neither location nor address; neither: none of these; count: only how many alerts are open';
COMMENT ON COLUMN bmd_policy_rule.most_subscriptions IS 'Of one person to one feed at once; NULL: any number';
COMMENT ON COLUMN bmd_policy_rule.valid_from IS 'The rule is in force from then on; NULL: always was';
COMMENT ON COLUMN bmd_policy_rule.valid_until IS 'until then; NULL: for ever';
COMMENT ON COLUMN bmd_policy_rule.days IS 'and only in hours that begin on these days, 1 Monday to 7 Sunday, by the setting time_zone';
COMMENT ON COLUMN bmd_policy_rule.hours_from IS 'from then on';
COMMENT ON COLUMN bmd_policy_rule.hours_until IS 'up to the next time it is this; the same as hours_from: 24 hours';
COMMENT ON COLUMN bmd_policy_rule.why IS 'For people';
CREATE INDEX bmd_policy_rule_username_idx ON bmd_policy_rule (username);
CREATE INDEX bmd_policy_rule_serial_idx ON bmd_policy_rule (serial);
CREATE INDEX bmd_policy_rule_patient_id_idx ON bmd_policy_rule (patient_id);
CREATE INDEX bmd_policy_rule_type_name_idx ON bmd_policy_rule (type_name);

CREATE TABLE bmd_policy_answer (
    username    text        NOT NULL,
    feed        text        NOT NULL,
    approved    boolean     NOT NULL,
    who         text        NOT NULL DEFAULT '',
    answered_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bmd_policy_answer_pkey PRIMARY KEY (username, feed),
    CONSTRAINT bmd_policy_answer_username_has_1_to_31_characters
        CHECK (username ~ '^[^[:cntrl:][:space:]]{1,31}$'),
    CONSTRAINT bmd_policy_answer_feed_is_a_user_name_dev_serial_or_grp_name
        CHECK (feed ~ '^((dev|grp)\.)?[A-Za-z0-9._-]{1,31}$'),
    CONSTRAINT bmd_policy_answer_who_has_no_control_characters CHECK (who !~ '[[:cntrl:]]')
);
COMMENT ON TABLE bmd_policy_answer IS 'Answers to those whom a rule with the decision confirm makes wait; bmd.approve and bmd.refuse write them. Deleting one makes the person wait again';
COMMENT ON COLUMN bmd_policy_answer.username IS 'Who asked';
COMMENT ON COLUMN bmd_policy_answer.feed IS 'For which feed';
COMMENT ON COLUMN bmd_policy_answer.approved IS 'True: may see it as the rule says; false: is refused';
COMMENT ON COLUMN bmd_policy_answer.who IS 'Who answered';
COMMENT ON COLUMN bmd_policy_answer.answered_at IS 'When';

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT v.name, v.key, o.op, o.tables FROM (VALUES
        ('bmd_role', 'role_name'), ('bmd_role_member', 'role_name'), ('bmd_area', 'area_name'),
        ('bmd_area_device', 'serial'), ('bmd_policy_rule', 'rule_id'), ('bmd_policy_answer', 'username')) v (name, key),
        (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
            ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) o (op, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON %I REFERENCING %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION bmd_notify_change(%L)', t.name || '_notify_' || t.op, t.op, t.name, t.tables, t.key);
    END LOOP;
    FOR t IN SELECT * FROM (VALUES ('bmd_role', 'role_name'), ('bmd_role_member', 'role_name'), ('bmd_area', 'area_name'),
        ('bmd_area_device', 'serial'), ('bmd_policy_rule', 'rule_id'), ('bmd_policy_answer', 'username')) v (name, key)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change(%L)',
            t.name || '_notify_truncate', t.name, t.key);
    END LOOP;
END
$$;

CREATE FUNCTION bmd_grant_policy(a_role name) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT ON bmd_policy_rule, bmd_policy_answer, bmd_role, bmd_role_member, bmd_area, '
        'bmd_area_device TO %I', a_role);
    EXECUTE format('GRANT INSERT, UPDATE ON bmd_policy_answer TO %I', a_role);
END
$$;
COMMENT ON FUNCTION bmd_grant_policy(name) IS 'The part of bmd_grant_server() for policies';
REVOKE ALL ON FUNCTION bmd_grant_policy(name) FROM PUBLIC;

-- bmd_grant_server(), as it is, does this as well.
DO $$
DECLARE
    source text := pg_get_functiondef('bmd_grant_server(name)'::regprocedure);
    a_role name;
BEGIN
    EXECUTE regexp_replace(source, 'END;?\s*(\$\w*\$)\s*$', E'    PERFORM bmd_grant_policy(a_role);\nEND\n\\1');
    FOR a_role IN
        SELECT DISTINCT r.rolname FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.oid = 'bmd_ensure_partitions(integer)'::regprocedure AND a.grantee <> p.proowner
    LOOP
        PERFORM bmd_grant_policy(a_role);
    END LOOP;
END
$$;
