-- 0010_bmd_device_seen.sql - devices that have ever reported, and a place for any reading.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A device that has reported once is in use: after a restart its silence is an alert, while a
-- device that was only provisioned is not expected to speak yet.

CREATE TABLE bmd_device_seen (
    device_id      integer     NOT NULL,
    first_heard_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bmd_device_seen_pkey PRIMARY KEY (device_id)
);
COMMENT ON TABLE bmd_device_seen IS 'Devices that have reported at least once; written by the server';
COMMENT ON COLUMN bmd_device_seen.device_id IS 'bmd_device.device_id; stays when the device goes';
COMMENT ON COLUMN bmd_device_seen.first_heard_at IS 'When its first reading was stored';

-- Readings of a day without a partition (a clock that stepped, partitions not created in time)
-- are kept, not refused: a refused row would hold up everything behind it.
CREATE TABLE bmd_reading_default PARTITION OF bmd_reading DEFAULT;
COMMENT ON TABLE bmd_reading_default IS 'Readings that arrived on a day without a partition of its own';
