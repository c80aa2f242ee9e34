-- 0029_bmd_filter.sql - filters of subscriptions, and the rules that they may name.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A terminal says in its SUBSCRIBE which alerts it asks for.  The server keeps what it said, so that it is in force
-- after a restart as well; a rule is written by the admin and named by terminals.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE bmd_filter (
    dialog   text        NOT NULL,
    username text        NOT NULL,
    feed     text        NOT NULL,
    filter   text        NOT NULL,
    set_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bmd_filter_pkey PRIMARY KEY (dialog),
    CONSTRAINT bmd_filter_dialog_has_16_hexadecimal_digits CHECK (dialog ~ '^[0-9a-f]{16}$'),
    CONSTRAINT bmd_filter_filter_has_1_to_4000_bytes CHECK (octet_length(filter) BETWEEN 1 AND 4000)
);
COMMENT ON TABLE bmd_filter IS 'Record: filters of live subscriptions, as the terminals asked for them. A row goes with its subscription';
COMMENT ON COLUMN bmd_filter.dialog IS 'The number behind the ~ in presentity_uri of active_watchers';
COMMENT ON COLUMN bmd_filter.username IS 'Who subscribes';
COMMENT ON COLUMN bmd_filter.feed IS 'To which feed';
COMMENT ON COLUMN bmd_filter.filter IS 'The DMP document, with moments in place of durations';
COMMENT ON COLUMN bmd_filter.set_at IS 'When the subscription got its first filter';

CREATE TABLE bmd_filter_rule (
    filter_rule_id integer          GENERATED ALWAYS AS IDENTITY,
    rule_name      text             NOT NULL,
    type_name      text,
    group_name     text,
    area_name      text,
    metric         text,
    condition      text,
    priority       text,
    kind           text,
    below          double precision,
    above          double precision,
    why            text             NOT NULL DEFAULT '',
    CONSTRAINT bmd_filter_rule_pkey PRIMARY KEY (filter_rule_id),
    CONSTRAINT bmd_filter_rule_is_unique UNIQUE NULLS NOT DISTINCT
        (rule_name, type_name, group_name, area_name, metric, condition, priority, kind, below, above),
    CONSTRAINT bmd_filter_rule_name_has_1_to_31_letters_digits_dots_dashes
        CHECK (rule_name ~ '^[A-Za-z0-9._-]{1,31}$'),
    CONSTRAINT bmd_filter_rule_says_something
        CHECK (num_nonnulls(type_name, group_name, area_name, metric, condition, priority, kind) > 0),
    CONSTRAINT bmd_filter_rule_condition_is_low_high_invalid_stale
        CHECK (condition IN ('low', 'high', 'invalid', 'stale')),
    CONSTRAINT bmd_filter_rule_priority_is_high_medium_low CHECK (priority IN ('high', 'medium', 'low')),
    CONSTRAINT bmd_filter_rule_kind_is_physiological_or_technical CHECK (kind IN ('physiological', 'technical')),
    CONSTRAINT bmd_filter_rule_below_or_above_needs_a_metric
        CHECK (num_nonnulls(below, above) = 0 OR (metric IS NOT NULL AND num_nonnulls(below, above) = 1)),
    CONSTRAINT bmd_filter_rule_numbers_are_finite
        CHECK (abs(below) < 'Infinity' AND abs(above) < 'Infinity'),
    CONSTRAINT bmd_filter_rule_type_name_fkey FOREIGN KEY (type_name)
        REFERENCES bmd_device_type ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_filter_rule_group_name_fkey FOREIGN KEY (group_name)
        REFERENCES bmd_group ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_filter_rule_area_name_fkey FOREIGN KEY (area_name)
        REFERENCES bmd_area ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_filter_rule_metric_fkey FOREIGN KEY (metric) REFERENCES bmd_metric (name)
);
COMMENT ON TABLE bmd_filter_rule IS 'Rules that terminals name in a filter: rule NAME. An alert is by the rule when any row of that name fits it; a row fits when all that it says does. High priority is told whatever a rule says';
COMMENT ON COLUMN bmd_filter_rule.filter_rule_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_filter_rule.rule_name IS 'Name, 1 to 31 of letters, digits, ".", "_", "-"; rows of one name add up';
COMMENT ON COLUMN bmd_filter_rule.type_name IS 'Of devices of this type; NULL: any';
COMMENT ON COLUMN bmd_filter_rule.group_name IS 'Of devices of this group; NULL: any';
COMMENT ON COLUMN bmd_filter_rule.area_name IS 'Of devices of this area; NULL: any';
COMMENT ON COLUMN bmd_filter_rule.metric IS 'Of this metric, or alarm of the device; NULL: any';
COMMENT ON COLUMN bmd_filter_rule.condition IS 'low, high, invalid or stale; NULL: any';
COMMENT ON COLUMN bmd_filter_rule.priority IS 'Of this priority or a higher one; NULL: any';
COMMENT ON COLUMN bmd_filter_rule.kind IS 'physiological or technical; NULL: any';
COMMENT ON COLUMN bmd_filter_rule.below IS 'The value is too low, and has been less than this; NULL: whatever it is';
COMMENT ON COLUMN bmd_filter_rule.above IS 'The value is too high, and has been more than this; NULL: whatever it is';
COMMENT ON COLUMN bmd_filter_rule.why IS 'For people';
CREATE INDEX bmd_filter_rule_type_name_idx ON bmd_filter_rule (type_name);
CREATE INDEX bmd_filter_rule_group_name_idx ON bmd_filter_rule (group_name);
CREATE INDEX bmd_filter_rule_area_name_idx ON bmd_filter_rule (area_name);

DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT * FROM (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
        ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) v (op, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON bmd_filter_rule REFERENCING %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION bmd_notify_change(''rule_name'')', 'bmd_filter_rule_notify_' || o.op, o.op, o.tables);
    END LOOP;
END
$$;
CREATE TRIGGER bmd_filter_rule_notify_truncate AFTER TRUNCATE ON bmd_filter_rule
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_notify_change('rule_name');

CREATE FUNCTION bmd_grant_filter(a_role name) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT ON bmd_filter, bmd_filter_rule TO %I', a_role);
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON bmd_filter TO %I', a_role);
END
$$;
COMMENT ON FUNCTION bmd_grant_filter(name) IS 'The part of bmd_grant_server() for filters of subscriptions';
REVOKE ALL ON FUNCTION bmd_grant_filter(name) FROM PUBLIC;

-- bmd_grant_server(), as it is, does this as well.
DO $$
DECLARE
    source text := pg_get_functiondef('bmd_grant_server(name)'::regprocedure);
    a_role name;
BEGIN
    EXECUTE regexp_replace(source, 'END;?\s*(\$\w*\$)\s*$', E'    PERFORM bmd_grant_filter(a_role);\nEND\n\\1');
    FOR a_role IN
        SELECT DISTINCT r.rolname FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.oid = 'bmd_ensure_partitions(integer)'::regprocedure AND a.grantee <> p.proowner
    LOOP
        PERFORM bmd_grant_filter(a_role);
    END LOOP;
END
$$;
