-- 0013_bmd_waiting.sql - conditions that wait for their delay, so that a restart does not begin it anew.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Set in the transaction of the readings that begin or end the wait, and read at the server's
-- start.  Few rows: only what is wrong now and not yet for as long as its limit's delay.

CREATE TABLE bmd_waiting (
    device_id integer     NOT NULL,
    metric_id smallint    NOT NULL,
    condition text        NOT NULL,
    since     timestamptz NOT NULL,
    CONSTRAINT bmd_waiting_pkey PRIMARY KEY (device_id, metric_id, condition),
    CONSTRAINT bmd_waiting_condition_is_known CHECK (condition IN ('low', 'high', 'invalid'))
);
COMMENT ON TABLE bmd_waiting IS 'Conditions that have not lasted for the delay of their limit yet; written by the server';
COMMENT ON COLUMN bmd_waiting.device_id IS 'bmd_device.device_id';
COMMENT ON COLUMN bmd_waiting.metric_id IS 'bmd_metric.metric_id';
COMMENT ON COLUMN bmd_waiting.condition IS 'low, high or invalid';
COMMENT ON COLUMN bmd_waiting.since IS 'When it began, by the readings'' times; never after their arrival';
