-- 0020_bmd_escalation.sql - what was done so that somebody takes an alert: each step, once.
-- SPDX-License-Identifier: GPL-2.0-or-later

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE bmd_escalation (
    alert_id uuid        NOT NULL,
    number   integer     NOT NULL,
    policy   text        NOT NULL,
    step     integer     NOT NULL,
    round    integer     NOT NULL,
    whom     text        NOT NULL,
    how      text        NOT NULL,
    people   integer     NOT NULL,
    due_at   timestamptz NOT NULL,
    begun_at timestamptz NOT NULL,
    base_at  timestamptz NOT NULL,
    why      text,
    CONSTRAINT bmd_escalation_pkey PRIMARY KEY (alert_id, number),
    CONSTRAINT bmd_escalation_number_counts_from_1 CHECK (number >= 1)
);
COMMENT ON TABLE bmd_escalation IS 'Steps of the escalation of alerts that have begun; stored before anybody is told';
COMMENT ON COLUMN bmd_escalation.alert_id IS 'bmd_alert.alert_id';
COMMENT ON COLUMN bmd_escalation.number IS 'Steps and repetitions of the alert, counted from 1; its event in bmd_alert_event is "escalated" through "step NUMBER"';
COMMENT ON COLUMN bmd_escalation.policy IS 'Name of the policy; default: the built-in one';
COMMENT ON COLUMN bmd_escalation.step IS 'Which step of the policy, from 1';
COMMENT ON COLUMN bmd_escalation.round IS 'How often it is a repetition; 0: it is none';
COMMENT ON COLUMN bmd_escalation.whom IS 'Whom the step is for, in words';
COMMENT ON COLUMN bmd_escalation.how IS 'subscribe, message, call';
COMMENT ON COLUMN bmd_escalation.people IS 'How many people and feeds that were; 0: nobody, and the next step came at once';
COMMENT ON COLUMN bmd_escalation.due_at IS 'When it was due';
COMMENT ON COLUMN bmd_escalation.begun_at IS 'When it began';
COMMENT ON COLUMN bmd_escalation.base_at IS 'From when on the steps that follow are counted';
COMMENT ON COLUMN bmd_escalation.why IS 'Who it was and why, or why nobody';

CREATE TABLE bmd_escalation_recipient (
    alert_id uuid        NOT NULL,
    feed     text        NOT NULL,
    number   integer     NOT NULL,
    since    timestamptz NOT NULL,
    CONSTRAINT bmd_escalation_recipient_pkey PRIMARY KEY (alert_id, feed)
);
COMMENT ON TABLE bmd_escalation_recipient IS 'Feeds that show an alert because it was escalated to them';
COMMENT ON COLUMN bmd_escalation_recipient.alert_id IS 'bmd_alert.alert_id';
COMMENT ON COLUMN bmd_escalation_recipient.feed IS 'User name of the technician, or grp.NAME';
COMMENT ON COLUMN bmd_escalation_recipient.number IS 'Since which step: bmd_escalation.number';
COMMENT ON COLUMN bmd_escalation_recipient.since IS 'When that step began';

COMMENT ON COLUMN bmd_delivery.way IS 'subscription: by NOTIFY; message, call: as a step of the escalation asks';
COMMENT ON COLUMN bmd_delivery.code IS 'Final SIP status; 408 when the terminal did not answer, 999 when the message could not be sent at all (of message and call: no way to send them is configured)';

CREATE FUNCTION bmd_grant_escalation(a_role name) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT ON bmd_roster, bmd_roster_layer, bmd_roster_member, bmd_roster_override, '
        'bmd_escalation_policy, bmd_escalation_step TO %I', a_role);
    EXECUTE format('GRANT SELECT, INSERT ON bmd_escalation, bmd_escalation_recipient TO %I', a_role);
END
$$;
COMMENT ON FUNCTION bmd_grant_escalation(name) IS 'The part of bmd_grant_server() for rosters and escalation';
REVOKE ALL ON FUNCTION bmd_grant_escalation(name) FROM PUBLIC;

-- bmd_grant_server(), as it is, does this as well.
DO $$
DECLARE
    source text := pg_get_functiondef('bmd_grant_server(name)'::regprocedure);
    a_role name;
BEGIN
    EXECUTE regexp_replace(source, 'END;?\s*(\$\w*\$)\s*$', E'    PERFORM bmd_grant_escalation(a_role);\nEND\n\\1');
    FOR a_role IN
        SELECT DISTINCT r.rolname FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.oid = 'bmd_ensure_partitions(integer)'::regprocedure AND a.grantee <> p.proowner
    LOOP
        PERFORM bmd_grant_escalation(a_role);
    END LOOP;
END
$$;
