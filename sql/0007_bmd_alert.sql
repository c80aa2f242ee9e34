-- 0007_bmd_alert.sql - alerts and their history.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- alert_id is derived from device, metric, condition and onset: writing an alert again finds it.
-- An alert keeps its text: what the technician was told stays, whatever becomes of the device.

CREATE TABLE bmd_alert (
    alert_id        uuid        NOT NULL,
    device_id       integer     NOT NULL,
    serial          text        NOT NULL,
    type_name       text        NOT NULL,
    metric_id       smallint    NOT NULL,
    condition       text        NOT NULL,
    kind            text        NOT NULL,
    priority        text        NOT NULL,
    state           text        NOT NULL,
    value           double precision,
    limit_value     double precision,
    location        text        NOT NULL DEFAULT '',
    patient_name    text        NOT NULL DEFAULT '',
    patient_address text        NOT NULL DEFAULT '',
    measured_at     timestamptz,
    arrived_at      timestamptz,
    onset_at        timestamptz NOT NULL,
    raised_at       timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    cleared_at      timestamptz,
    revision        integer     NOT NULL,
    CONSTRAINT bmd_alert_pkey PRIMARY KEY (alert_id),
    CONSTRAINT bmd_alert_condition_is_known
        CHECK (condition IN ('low', 'high', 'invalid', 'stale', 'device')),
    CONSTRAINT bmd_alert_kind_is_physiological_or_technical
        CHECK (kind IN ('physiological', 'technical')),
    CONSTRAINT bmd_alert_priority_is_high_medium_or_low CHECK (priority IN ('high', 'medium', 'low')),
    CONSTRAINT bmd_alert_state_is_active_latched_or_cleared
        CHECK (state IN ('active', 'latched', 'cleared')),
    CONSTRAINT bmd_alert_has_cleared_at_when_cleared_only
        CHECK ((state = 'cleared') = (cleared_at IS NOT NULL)),
    CONSTRAINT bmd_alert_revision_is_not_negative CHECK (revision >= 0)
);
COMMENT ON TABLE bmd_alert IS 'Alerts, open and over, as they are now; what happened to each is in bmd_alert_event';
COMMENT ON COLUMN bmd_alert.alert_id IS 'Derived from device, metric, condition and onset';
COMMENT ON COLUMN bmd_alert.device_id IS 'bmd_device.device_id at that time';
COMMENT ON COLUMN bmd_alert.serial IS 'Serial number of the device at that time';
COMMENT ON COLUMN bmd_alert.type_name IS 'Type of the device at that time';
COMMENT ON COLUMN bmd_alert.metric_id IS 'bmd_metric.metric_id: the metric, or the alarm of the device; 0 when it is the whole device (stale)';
COMMENT ON COLUMN bmd_alert.condition IS 'low, high, invalid, stale (device is silent) or device (its own alarm)';
COMMENT ON COLUMN bmd_alert.kind IS 'physiological or technical';
COMMENT ON COLUMN bmd_alert.priority IS 'high, medium or low';
COMMENT ON COLUMN bmd_alert.state IS 'active: the condition holds; latched: it has gone, not yet acknowledged; cleared: over';
COMMENT ON COLUMN bmd_alert.value IS 'The value that is wrong, in the unit of the metric; NULL when there is none';
COMMENT ON COLUMN bmd_alert.limit_value IS 'The limit it passed; NULL when there is none';
COMMENT ON COLUMN bmd_alert.location IS 'Where the device stood';
COMMENT ON COLUMN bmd_alert.patient_name IS 'Patient at that time';
COMMENT ON COLUMN bmd_alert.patient_address IS 'Address at that time';
COMMENT ON COLUMN bmd_alert.measured_at IS 'When the value was measured, by the collector''s clock; NULL when there is none';
COMMENT ON COLUMN bmd_alert.arrived_at IS 'When it arrived at the server; NULL when there is none';
COMMENT ON COLUMN bmd_alert.onset_at IS 'When the condition began';
COMMENT ON COLUMN bmd_alert.raised_at IS 'When the server raised the alert';
COMMENT ON COLUMN bmd_alert.changed_at IS 'Last change of state';
COMMENT ON COLUMN bmd_alert.cleared_at IS 'When it was over; NULL while it is not';
COMMENT ON COLUMN bmd_alert.revision IS 'Grows with every change';
CREATE INDEX bmd_alert_open_idx ON bmd_alert (serial, raised_at) WHERE state <> 'cleared';
CREATE INDEX bmd_alert_serial_raised_idx ON bmd_alert (serial, raised_at DESC);
CREATE INDEX bmd_alert_raised_idx ON bmd_alert (raised_at);

CREATE TABLE bmd_alert_event (
    alert_id uuid        NOT NULL,
    revision integer     NOT NULL,
    at       timestamptz NOT NULL,
    event    text        NOT NULL,
    state    text        NOT NULL,
    priority text        NOT NULL,
    value    double precision,
    who      text,
    through  text,
    why      text,
    CONSTRAINT bmd_alert_event_pkey PRIMARY KEY (alert_id, revision),
    CONSTRAINT bmd_alert_event_has_a_name CHECK (event <> ''),
    CONSTRAINT bmd_alert_event_state_is_active_latched_or_cleared
        CHECK (state IN ('active', 'latched', 'cleared')),
    CONSTRAINT bmd_alert_event_priority_is_high_medium_or_low
        CHECK (priority IN ('high', 'medium', 'low'))
);
COMMENT ON TABLE bmd_alert_event IS 'History: every change of every alert; never changed';
COMMENT ON COLUMN bmd_alert_event.alert_id IS 'bmd_alert.alert_id';
COMMENT ON COLUMN bmd_alert_event.revision IS 'Revision of the alert that this change made';
COMMENT ON COLUMN bmd_alert_event.at IS 'When';
COMMENT ON COLUMN bmd_alert_event.event IS 'What happened: raised, cleared, acknowledged ...';
COMMENT ON COLUMN bmd_alert_event.state IS 'State after it';
COMMENT ON COLUMN bmd_alert_event.priority IS 'Priority after it';
COMMENT ON COLUMN bmd_alert_event.value IS 'The value that caused it; NULL when there is none';
COMMENT ON COLUMN bmd_alert_event.who IS 'Technician or operator; NULL: the system';
COMMENT ON COLUMN bmd_alert_event.through IS 'By what way: sip, kamcmd ...; NULL: the system';
COMMENT ON COLUMN bmd_alert_event.why IS 'Reason given; NULL: none';
