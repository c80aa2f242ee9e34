-- 0023_bmd_watcher_rule.sql - which changes of alerts may wait before a technician is told.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- High priority is beyond every rule: no row can name it, and the server holds nothing of it back.

-- pg_temp last: functions that run with their owner's rights must not find a caller's temporary table.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE bmd_watcher_rule (
    rule_id         integer  GENERATED ALWAYS AS IDENTITY,
    username        text,
    team_name       text,
    feed_group      text,
    type_name       text,
    group_name      text,
    metric          text,
    kind            text,
    priority        text,
    persistence     interval,
    most_per_minute integer,
    digest_every    interval,
    digest_medium   boolean  NOT NULL DEFAULT false,
    why             text     NOT NULL DEFAULT '',
    CONSTRAINT bmd_watcher_rule_pkey PRIMARY KEY (rule_id),
    CONSTRAINT bmd_watcher_rule_is_unique UNIQUE NULLS NOT DISTINCT
        (username, team_name, feed_group, type_name, group_name, metric, kind, priority),
    CONSTRAINT bmd_watcher_rule_is_of_a_technician_a_team_or_a_group_feed
        CHECK (num_nonnulls(username, team_name, feed_group) = 1),
    CONSTRAINT bmd_watcher_rule_username_fkey FOREIGN KEY (username)
        REFERENCES bmd_technician ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_watcher_rule_team_name_fkey FOREIGN KEY (team_name)
        REFERENCES bmd_team ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_watcher_rule_feed_group_fkey FOREIGN KEY (feed_group)
        REFERENCES bmd_group ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_watcher_rule_type_name_fkey FOREIGN KEY (type_name)
        REFERENCES bmd_device_type ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_watcher_rule_group_name_fkey FOREIGN KEY (group_name)
        REFERENCES bmd_group ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_watcher_rule_metric_fkey FOREIGN KEY (metric) REFERENCES bmd_metric (name),
    CONSTRAINT bmd_watcher_rule_kind_is_physiological_or_technical
        CHECK (kind IN ('physiological', 'technical')),
    CONSTRAINT bmd_watcher_rule_priority_is_medium_or_low_high_is_never_held
        CHECK (priority IN ('medium', 'low')),
    CONSTRAINT bmd_watcher_rule_persistence_is_1_second_to_1_hour
        CHECK (persistence BETWEEN interval '1 second' AND interval '1 hour'),
    CONSTRAINT bmd_watcher_rule_most_per_minute_is_1_to_60 CHECK (most_per_minute BETWEEN 1 AND 60),
    CONSTRAINT bmd_watcher_rule_digest_every_is_1_second_to_1_day
        CHECK (digest_every BETWEEN interval '1 second' AND interval '1 day'),
    CONSTRAINT bmd_watcher_rule_digest_medium_needs_digest_every
        CHECK (NOT digest_medium OR digest_every IS NOT NULL),
    CONSTRAINT bmd_watcher_rule_digest_of_medium_needs_digest_medium
        CHECK (priority IS DISTINCT FROM 'medium' OR digest_every IS NULL OR digest_medium)
);
COMMENT ON TABLE bmd_watcher_rule IS 'Which changes of alerts wait before a watcher is told; never of an alert whose priority is or was high, or that was escalated. One rule counts, the most specific that fits: of a technician before of a team before of a feed; then one that names a metric, a group, a type, a kind, a priority, in this order; of equals the oldest. Without persistence, most_per_minute and digest_every it tells at once';
COMMENT ON COLUMN bmd_watcher_rule.rule_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_watcher_rule.username IS 'For this technician, on every feed; NULL: for others';
COMMENT ON COLUMN bmd_watcher_rule.team_name IS 'For each member of this team; NULL: for others';
COMMENT ON COLUMN bmd_watcher_rule.feed_group IS 'For whoever watches the feed of this group; NULL: for others';
COMMENT ON COLUMN bmd_watcher_rule.type_name IS 'Of devices of this type; NULL: any';
COMMENT ON COLUMN bmd_watcher_rule.group_name IS 'Of devices of this group; NULL: any';
COMMENT ON COLUMN bmd_watcher_rule.metric IS 'Of this metric, or alarm of the device; NULL: any';
COMMENT ON COLUMN bmd_watcher_rule.kind IS 'physiological or technical; NULL: any';
COMMENT ON COLUMN bmd_watcher_rule.priority IS 'medium or low; NULL: both';
COMMENT ON COLUMN bmd_watcher_rule.persistence IS 'An alert is told when it has lasted so long since it was raised or came back; one that ended before is not told at all. NULL: at once';
COMMENT ON COLUMN bmd_watcher_rule.most_per_minute IS 'NOTIFYs to one subscription within any 60 seconds; what comes sooner is told together in the next one. NULL: any number';
COMMENT ON COLUMN bmd_watcher_rule.digest_every IS 'Changes of low priority are told together in one NOTIFY, so long after the first of them; NULL: one by one';
COMMENT ON COLUMN bmd_watcher_rule.digest_medium IS 'The digest takes changes of medium priority as well';
COMMENT ON COLUMN bmd_watcher_rule.why IS 'For people';
CREATE INDEX bmd_watcher_rule_team_name_idx ON bmd_watcher_rule (team_name);
CREATE INDEX bmd_watcher_rule_feed_group_idx ON bmd_watcher_rule (feed_group);
CREATE INDEX bmd_watcher_rule_type_name_idx ON bmd_watcher_rule (type_name);
CREATE INDEX bmd_watcher_rule_group_name_idx ON bmd_watcher_rule (group_name);

DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT * FROM (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
        ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) v (op, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON bmd_watcher_rule REFERENCING %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION bmd_notify_change(''rule_id'')', 'bmd_watcher_rule_notify_' || o.op, o.op, o.tables);
    END LOOP;
END
$$;
CREATE TRIGGER bmd_watcher_rule_notify_truncate AFTER TRUNCATE ON bmd_watcher_rule
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change('rule_id');

-- Chattering alarms, by limit.  What other migrations made of these stays.
ALTER TABLE bmd_type_limit ADD COLUMN most_per_hour integer,
    ADD CONSTRAINT bmd_type_limit_most_per_hour_is_1_to_1000 CHECK (most_per_hour BETWEEN 1 AND 1000);
COMMENT ON COLUMN bmd_type_limit.most_per_hour IS 'An alert, not of high priority, that begins more often within an hour chatters: it is told as over only when it has been so for reopen_seconds; NULL: none does';
ALTER TABLE bmd_device_limit ADD COLUMN most_per_hour integer,
    ADD CONSTRAINT bmd_device_limit_most_per_hour_is_1_to_1000 CHECK (most_per_hour BETWEEN 1 AND 1000);
COMMENT ON COLUMN bmd_device_limit.most_per_hour IS 'How often an alert may begin within an hour before it chatters; NULL: standard';
DO $$
DECLARE
    known text := (SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint
                   WHERE conname = 'bmd_device_limit_prescribes_something' AND conrelid = 'bmd_device_limit'::regclass);
BEGIN
    EXECUTE format('ALTER TABLE bmd_device_limit DROP CONSTRAINT bmd_device_limit_prescribes_something, '
        'ADD CONSTRAINT bmd_device_limit_prescribes_something CHECK ((%s) OR most_per_hour IS NOT NULL)', known);
    EXECUTE 'CREATE OR REPLACE VIEW bmd_limit AS ' || regexp_replace(pg_get_viewdef('bmd_limit'::regclass),
        '\n\s+FROM ', E',\n    COALESCE(p.most_per_hour, s.most_per_hour) AS most_per_hour\n   FROM ');
END
$$;
COMMENT ON COLUMN bmd_limit.most_per_hour IS 'How often an alert may begin within an hour before it chatters; NULL: as often as it likes';

CREATE FUNCTION bmd_grant_watcher(a_role name) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT ON bmd_watcher_rule TO %I', a_role);
END
$$;
COMMENT ON FUNCTION bmd_grant_watcher(name) IS 'The part of bmd_grant_server() for the rules of watchers';
REVOKE ALL ON FUNCTION bmd_grant_watcher(name) FROM PUBLIC;

-- bmd_grant_server(), as it is, does this as well.
DO $$
DECLARE
    source text := pg_get_functiondef('bmd_grant_server(name)'::regprocedure);
    a_role name;
BEGIN
    EXECUTE regexp_replace(source, 'END;?\s*(\$\w*\$)\s*$', E'    PERFORM bmd_grant_watcher(a_role);\nEND\n\\1');
    FOR a_role IN
        SELECT DISTINCT r.rolname FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.oid = 'bmd_ensure_partitions(integer)'::regprocedure AND a.grantee <> p.proowner
    LOOP
        PERFORM bmd_grant_watcher(a_role);
    END LOOP;
END
$$;
