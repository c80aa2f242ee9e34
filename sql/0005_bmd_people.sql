-- 0005_bmd_people.sql - groups of devices, technicians, teams, who is responsible for what, feeds.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A feed is what a terminal subscribes to, sip:FEED@domain: the technician's own address, a device
-- (dev.SERIAL) or a group (grp.NAME).  So nobody may be called dev.something or grp.something.

CREATE TABLE bmd_group (
    group_name  text NOT NULL,
    description text NOT NULL DEFAULT '',
    CONSTRAINT bmd_group_pkey PRIMARY KEY (group_name),
    CONSTRAINT bmd_group_name_has_1_to_27_letters_digits_dashes
        CHECK (group_name ~ '^[A-Za-z0-9_-]{1,27}$')
);
COMMENT ON TABLE bmd_group IS 'Groups of devices';
COMMENT ON COLUMN bmd_group.group_name IS 'Name, 1 to 27 of letters, digits, "_", "-"; its feed is grp.NAME';
COMMENT ON COLUMN bmd_group.description IS 'For people';

CREATE TABLE bmd_group_device (
    group_name text NOT NULL,
    serial     text NOT NULL,
    CONSTRAINT bmd_group_device_pkey PRIMARY KEY (group_name, serial),
    CONSTRAINT bmd_group_device_group_name_fkey FOREIGN KEY (group_name)
        REFERENCES bmd_group ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_group_device_serial_fkey FOREIGN KEY (serial)
        REFERENCES bmd_device ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE bmd_group_device IS 'Devices of a group; a device may be in several';
COMMENT ON COLUMN bmd_group_device.group_name IS 'Group';
COMMENT ON COLUMN bmd_group_device.serial IS 'Device';
CREATE INDEX bmd_group_device_serial_idx ON bmd_group_device (serial);

CREATE TABLE bmd_technician (
    username  text    NOT NULL,
    full_name text    NOT NULL DEFAULT '',
    enabled   boolean NOT NULL DEFAULT true,
    CONSTRAINT bmd_technician_pkey PRIMARY KEY (username),
    CONSTRAINT bmd_technician_username_has_1_to_31_letters_digits_dots_dashes
        CHECK (username ~ '^[A-Za-z0-9._-]{1,31}$'),
    CONSTRAINT bmd_technician_username_does_not_begin_like_a_feed
        CHECK (username !~* '^(dev|grp)\.')
);
COMMENT ON TABLE bmd_technician IS 'People who receive alerts';
COMMENT ON COLUMN bmd_technician.username IS 'SIP user name and name of the personal feed; 1 to 31 of letters, digits, ".", "_", "-", not dev.* or grp.*';
COMMENT ON COLUMN bmd_technician.full_name IS 'Name of the person';
COMMENT ON COLUMN bmd_technician.enabled IS 'False: responsible for nothing, may subscribe to nothing, and the password is gone';

CREATE TABLE bmd_team (
    team_name text NOT NULL,
    CONSTRAINT bmd_team_pkey PRIMARY KEY (team_name),
    CONSTRAINT bmd_team_name_has_1_to_31_letters_digits_dots_dashes
        CHECK (team_name ~ '^[A-Za-z0-9._-]{1,31}$')
);
COMMENT ON TABLE bmd_team IS 'Teams of technicians';
COMMENT ON COLUMN bmd_team.team_name IS 'Name, 1 to 31 of letters, digits, ".", "_", "-"';

CREATE TABLE bmd_team_member (
    team_name text NOT NULL,
    username  text NOT NULL,
    CONSTRAINT bmd_team_member_pkey PRIMARY KEY (team_name, username),
    CONSTRAINT bmd_team_member_team_name_fkey FOREIGN KEY (team_name)
        REFERENCES bmd_team ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_team_member_username_fkey FOREIGN KEY (username)
        REFERENCES bmd_technician ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE bmd_team_member IS 'Members of a team; a technician may be in several';
COMMENT ON COLUMN bmd_team_member.team_name IS 'Team';
COMMENT ON COLUMN bmd_team_member.username IS 'Technician';
CREATE INDEX bmd_team_member_username_idx ON bmd_team_member (username);

CREATE TABLE bmd_assignment (
    assignment_id integer GENERATED ALWAYS AS IDENTITY,
    username      text,
    team_name     text,
    serial        text,
    group_name    text,
    CONSTRAINT bmd_assignment_pkey PRIMARY KEY (assignment_id),
    CONSTRAINT bmd_assignment_is_unique
        UNIQUE NULLS NOT DISTINCT (username, team_name, serial, group_name),
    CONSTRAINT bmd_assignment_is_to_a_technician_or_a_team
        CHECK (num_nonnulls(username, team_name) = 1),
    CONSTRAINT bmd_assignment_is_of_a_device_or_a_group
        CHECK (num_nonnulls(serial, group_name) = 1),
    CONSTRAINT bmd_assignment_username_fkey FOREIGN KEY (username)
        REFERENCES bmd_technician ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_assignment_team_name_fkey FOREIGN KEY (team_name)
        REFERENCES bmd_team ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_assignment_serial_fkey FOREIGN KEY (serial)
        REFERENCES bmd_device ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_assignment_group_name_fkey FOREIGN KEY (group_name)
        REFERENCES bmd_group ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE bmd_assignment IS 'Who is responsible: a technician or a team, for a device or a group';
COMMENT ON COLUMN bmd_assignment.assignment_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_assignment.username IS 'Technician; NULL when a team is responsible';
COMMENT ON COLUMN bmd_assignment.team_name IS 'Team; NULL when one technician is responsible';
COMMENT ON COLUMN bmd_assignment.serial IS 'Device; NULL when it is a group';
COMMENT ON COLUMN bmd_assignment.group_name IS 'Group; NULL when it is one device';
CREATE INDEX bmd_assignment_team_name_idx ON bmd_assignment (team_name);
CREATE INDEX bmd_assignment_serial_idx ON bmd_assignment (serial);
CREATE INDEX bmd_assignment_group_name_idx ON bmd_assignment (group_name);

-- Branches, not OR: each has its index, and a condition on username or serial reaches all of them.
-- Independent of bmd_device.enabled, so that the end of an alert still arrives after switching off.
CREATE VIEW bmd_responsible AS
SELECT a.username, a.serial
FROM bmd_assignment a
JOIN bmd_technician t ON t.username = a.username AND t.enabled
WHERE a.serial IS NOT NULL
UNION
SELECT a.username, g.serial
FROM bmd_assignment a
JOIN bmd_technician t ON t.username = a.username AND t.enabled
JOIN bmd_group_device g ON g.group_name = a.group_name
UNION
SELECT m.username, a.serial
FROM bmd_assignment a
JOIN bmd_team_member m ON m.team_name = a.team_name
JOIN bmd_technician t ON t.username = m.username AND t.enabled
WHERE a.serial IS NOT NULL
UNION
SELECT m.username, g.serial
FROM bmd_assignment a
JOIN bmd_team_member m ON m.team_name = a.team_name
JOIN bmd_technician t ON t.username = m.username AND t.enabled
JOIN bmd_group_device g ON g.group_name = a.group_name;
COMMENT ON VIEW bmd_responsible IS 'Enabled technicians and the devices they are responsible for, through teams and groups, each pair once';
COMMENT ON COLUMN bmd_responsible.username IS 'Technician';
COMMENT ON COLUMN bmd_responsible.serial IS 'Device';

CREATE VIEW bmd_feed_member AS
SELECT r.username AS feed, r.serial FROM bmd_responsible r
UNION ALL
SELECT 'dev.' || d.serial, d.serial FROM bmd_device d
UNION ALL
SELECT 'grp.' || g.group_name, g.serial FROM bmd_group_device g;
COMMENT ON VIEW bmd_feed_member IS 'Which devices'' alerts a feed carries, each pair once';
COMMENT ON COLUMN bmd_feed_member.feed IS 'User part of the feed''s SIP address';
COMMENT ON COLUMN bmd_feed_member.serial IS 'Device';

CREATE VIEW bmd_feed_watcher AS
SELECT t.username AS feed, t.username FROM bmd_technician t WHERE t.enabled
UNION ALL
SELECT 'dev.' || r.serial, r.username FROM bmd_responsible r
UNION ALL
(SELECT 'grp.' || a.group_name, a.username
FROM bmd_assignment a
JOIN bmd_technician t ON t.username = a.username AND t.enabled
WHERE a.group_name IS NOT NULL
UNION
SELECT 'grp.' || a.group_name, m.username
FROM bmd_assignment a
JOIN bmd_team_member m ON m.team_name = a.team_name
JOIN bmd_technician t ON t.username = m.username AND t.enabled
WHERE a.group_name IS NOT NULL);
COMMENT ON VIEW bmd_feed_watcher IS 'Who may subscribe to which feed, each pair once';
COMMENT ON COLUMN bmd_feed_watcher.feed IS 'User part of the feed''s SIP address';
COMMENT ON COLUMN bmd_feed_watcher.username IS 'Technician who may subscribe to it';
