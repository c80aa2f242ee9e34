-- 0030_bmd_withheld.sql - an operator's alert for each technician from whom documents are withheld.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- The alert is of no device, as that of a storm: serial is '@' and the technician.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

ALTER TABLE bmd_alert
    DROP CONSTRAINT bmd_alert_condition_is_known,
    ADD CONSTRAINT bmd_alert_condition_is_known
        CHECK (condition IN ('low', 'high', 'invalid', 'stale', 'device', 'storm', 'withheld'));
COMMENT ON COLUMN bmd_alert.serial IS 'Serial number of the device at that time; of a storm @ and the name of the collector, or @ alone; '
    'of withheld documents @ and the technician';
COMMENT ON COLUMN bmd_alert.condition IS 'low, high, invalid, stale (device is silent), device (its own alarm), storm (many devices are silent) or '
    'withheld (a technician gets encrypted documents only, and they cannot be encrypted)';
