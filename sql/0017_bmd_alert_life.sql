-- 0017_bmd_alert_life.sql - what people make of an alert, and when it is over for good.
-- SPDX-License-Identifier: GPL-2.0-or-later

ALTER TABLE bmd_alert
    ADD COLUMN code            text,
    ADD COLUMN response        text     NOT NULL DEFAULT 'none',
    ADD COLUMN answered_by     text,
    ADD COLUMN answered_at     timestamptz,
    ADD COLUMN taken_at        timestamptz,
    ADD COLUMN step            smallint NOT NULL DEFAULT 0,
    ADD COLUMN silenced_until  timestamptz,
    ADD COLUMN suppressed      text     NOT NULL DEFAULT 'none',
    ADD COLUMN mutes           integer  NOT NULL DEFAULT 0,
    ADD COLUMN outcome         text     NOT NULL DEFAULT 'none',
    ADD COLUMN priority_before text,
    ADD COLUMN risen           smallint NOT NULL DEFAULT 0,
    ADD COLUMN rises_at        timestamptz,
    ADD COLUMN closed_at       timestamptz;
UPDATE bmd_alert SET closed_at = cleared_at WHERE state = 'cleared';
ALTER TABLE bmd_alert
    ADD CONSTRAINT bmd_alert_response_is_known
        CHECK (response IN ('none', 'delivered', 'accepted', 'rejected', 'escalated', 'acknowledged')),
    ADD CONSTRAINT bmd_alert_suppressed_is_known CHECK (suppressed IN ('none', 'maintenance', 'inhibition')),
    ADD CONSTRAINT bmd_alert_outcome_is_known CHECK (outcome IN ('none', 'actionable', 'false')),
    ADD CONSTRAINT bmd_alert_priority_before_is_high_medium_or_low
        CHECK (priority_before IN ('high', 'medium', 'low')),
    ADD CONSTRAINT bmd_alert_is_closed_only_when_cleared CHECK (closed_at IS NULL OR state = 'cleared');
COMMENT ON COLUMN bmd_alert.code IS 'Short code to answer with, unique among those that are not closed; NULL: raised before there were any';
COMMENT ON COLUMN bmd_alert.response IS 'none, delivered, accepted, rejected, escalated or acknowledged: what people made of it';
COMMENT ON COLUMN bmd_alert.answered_by IS 'Who accepted, rejected or acknowledged it; NULL: nobody';
COMMENT ON COLUMN bmd_alert.answered_at IS 'Since when the response stands; NULL while there is none';
COMMENT ON COLUMN bmd_alert.taken_at IS 'When somebody first accepted or dealt with it; NULL: nobody has';
COMMENT ON COLUMN bmd_alert.step IS 'Step of the escalation, from 1; 0: not escalated';
COMMENT ON COLUMN bmd_alert.silenced_until IS 'NULL: not silenced';
COMMENT ON COLUMN bmd_alert.suppressed IS 'none, maintenance or inhibition: why it is told, but not urgently, and nobody is called for it';
COMMENT ON COLUMN bmd_alert.mutes IS 'Of a stale alert: how many physiological alerts of the device it inhibits';
COMMENT ON COLUMN bmd_alert.outcome IS 'none, actionable or false: what it turned out to be';
COMMENT ON COLUMN bmd_alert.priority_before IS 'Priority before its last rise or fall; NULL: it has not changed';
COMMENT ON COLUMN bmd_alert.risen IS 'Steps by which its priority rose because nobody answered';
COMMENT ON COLUMN bmd_alert.rises_at IS 'When its priority rises if nobody answers; NULL: it does not';
COMMENT ON COLUMN bmd_alert.closed_at IS 'When it was over for good; NULL: it is open, or cleared and may come back as the same alert';
CREATE INDEX bmd_alert_unclosed_idx ON bmd_alert (raised_at) WHERE closed_at IS NULL;

ALTER TABLE bmd_alert_event
    ADD COLUMN response       text NOT NULL DEFAULT 'none',
    ADD COLUMN silenced_until timestamptz;
COMMENT ON COLUMN bmd_alert_event.response IS 'Response after it; as in bmd_alert';
COMMENT ON COLUMN bmd_alert_event.silenced_until IS 'Silenced until, after it; NULL: not silenced';
COMMENT ON COLUMN bmd_alert_event.event IS 'What happened: raised, latched, reopened, updated, priority, cleared, closed, disabled, removed, reassigned; delivered, accepted, rejected, escalated, acknowledged, resolved; silenced, silence-over; suppressed, resumed';

-- Followed by running servers like provisioning.
ALTER TABLE bmd_setting DROP CONSTRAINT bmd_setting_name_is_known;
ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_name_is_known
    CHECK (name IN ('keep_readings_days', 'keep_deliveries_days', 'reopen_seconds', 'silence_seconds',
        'silence_high_seconds'));
ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_seconds_are_at_most_an_hour
    CHECK (name NOT LIKE '%\_seconds' OR value <= 3600);
COMMENT ON COLUMN bmd_setting.name IS 'keep_readings_days, keep_deliveries_days: whole days (UTC) before today whose rows are kept; 0: for ever. reopen_seconds: a condition that comes back within that time continues its alert; 0: it is a new one. silence_seconds, silence_high_seconds: longest silence of an alert, and of one of high priority';
INSERT INTO bmd_setting VALUES ('reopen_seconds', 60), ('silence_seconds', 900), ('silence_high_seconds', 120);

DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT * FROM (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
        ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) v (op, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON bmd_setting REFERENCING %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION bmd_notify_change(''name'')', 'bmd_setting_notify_' || o.op, o.op, o.tables);
    END LOOP;
END
$$;

-- For people, long after: what a closed alert turned out to be.
CREATE FUNCTION bmd_resolve(a_alert uuid, a_outcome text, a_who text, a_why text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF a_outcome IS NULL OR a_outcome NOT IN ('actionable', 'false') THEN
        RAISE EXCEPTION 'the outcome of an alert is actionable or false, not "%"', a_outcome
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF COALESCE(a_who, '') = '' THEN
        RAISE EXCEPTION 'nobody is named who resolves the alert' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE bmd_alert SET outcome = a_outcome, changed_at = now(), revision = revision + 1
    WHERE alert_id = a_alert AND closed_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no closed alert %', a_alert
            USING ERRCODE = 'no_data_found', HINT = 'An alert that is not closed: kamcmd bmd.resolve.';
    END IF;
    INSERT INTO bmd_alert_event (alert_id, revision, at, event, state, priority, value, who, through, why, response)
    SELECT alert_id, revision, changed_at, 'resolved', state, priority, value, a_who, 'sql', a_why, response
    FROM bmd_alert WHERE alert_id = a_alert;
END
$$;
COMMENT ON FUNCTION bmd_resolve(uuid, text, text, text) IS 'Says what a closed alert turned out to be: alert, actionable or false, who, why';
REVOKE ALL ON FUNCTION bmd_resolve(uuid, text, text, text) FROM PUBLIC;

-- One row an alert; bmd.report-alarms counts those of the last days.
CREATE VIEW bmd_alarm AS
SELECT a.alert_id, a.serial, COALESCE(m.name, a.metric_id::text) AS metric, a.condition, a.raised_at,
       a.taken_at IS NOT NULL AS accepted, a.outcome = 'false' AS false_alarm,
       extract(epoch FROM a.taken_at - a.raised_at)::double precision AS seconds_to_answer
FROM bmd_alert a LEFT JOIN bmd_metric m ON m.metric_id = a.metric_id;
COMMENT ON VIEW bmd_alarm IS 'Every alert as statistics count it';
COMMENT ON COLUMN bmd_alarm.alert_id IS 'bmd_alert.alert_id';
COMMENT ON COLUMN bmd_alarm.serial IS 'Device';
COMMENT ON COLUMN bmd_alarm.metric IS 'Metric, or alarm of the device';
COMMENT ON COLUMN bmd_alarm.condition IS 'Why it was raised';
COMMENT ON COLUMN bmd_alarm.raised_at IS 'When';
COMMENT ON COLUMN bmd_alarm.accepted IS 'Somebody accepted or dealt with it';
COMMENT ON COLUMN bmd_alarm.false_alarm IS 'It was resolved as false';
COMMENT ON COLUMN bmd_alarm.seconds_to_answer IS 'Until somebody first did; NULL: nobody has';

CREATE VIEW bmd_alarm_report AS
SELECT serial, metric, condition, count(*) AS raised, count(*) FILTER (WHERE accepted) AS accepted,
       count(*) FILTER (WHERE false_alarm) AS false_alarms,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds_to_answer) AS median_seconds_to_answer
FROM bmd_alarm GROUP BY serial, metric, condition;
COMMENT ON VIEW bmd_alarm_report IS 'By device and rule: alerts raised, accepted, false, and the median time to answer';
COMMENT ON COLUMN bmd_alarm_report.serial IS 'Device';
COMMENT ON COLUMN bmd_alarm_report.metric IS 'Metric, or alarm of the device';
COMMENT ON COLUMN bmd_alarm_report.condition IS 'low, high, invalid, stale or device';
COMMENT ON COLUMN bmd_alarm_report.raised IS 'Alerts raised';
COMMENT ON COLUMN bmd_alarm_report.accepted IS 'Of these, somebody accepted or dealt with';
COMMENT ON COLUMN bmd_alarm_report.false_alarms IS 'Of these, resolved as false';
COMMENT ON COLUMN bmd_alarm_report.median_seconds_to_answer IS 'Seconds until somebody first did, the median; NULL: nobody ever has';
