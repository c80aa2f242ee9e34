-- 0025_bmd_storm.sql - many devices that fall silent of one cause have one alert together: a storm.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- The alert of a storm is of no device: serial is '@' and the collector, or '@' alone for the whole site, which no
-- device can be called.  The stale alerts of its devices stay what they are, suppressed by the storm.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

ALTER TABLE bmd_alert
    ADD COLUMN part_of uuid,
    DROP CONSTRAINT bmd_alert_condition_is_known,
    DROP CONSTRAINT bmd_alert_suppressed_is_known,
    ADD CONSTRAINT bmd_alert_condition_is_known
        CHECK (condition IN ('low', 'high', 'invalid', 'stale', 'device', 'storm')),
    ADD CONSTRAINT bmd_alert_suppressed_is_known
        CHECK (suppressed IN ('none', 'maintenance', 'inhibition', 'storm'));
COMMENT ON COLUMN bmd_alert.part_of IS 'Of a stale alert: alert_id of the storm that told of it last; NULL: none has';
COMMENT ON COLUMN bmd_alert.serial IS 'Serial number of the device at that time; of a storm @ and the name of the collector, or @ alone';
COMMENT ON COLUMN bmd_alert.condition IS 'low, high, invalid, stale (device is silent), device (its own alarm) or storm (many devices are silent)';
COMMENT ON COLUMN bmd_alert.value IS 'The value that is wrong, in the unit of the metric; of a storm how many devices are silent; NULL when there is none';
COMMENT ON COLUMN bmd_alert.suppressed IS 'none, maintenance, inhibition or storm: why it is told, but not urgently, and nobody is called for it; storm: told by the storm';
COMMENT ON COLUMN bmd_alert.mutes IS 'Of a stale alert: how many physiological alerts of the device it inhibits; of a storm: how many devices are silent';

DO $$
DECLARE
    known text := (SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint
                   WHERE conname = 'bmd_setting_name_is_known' AND conrelid = 'bmd_setting'::regclass);
BEGIN
    ALTER TABLE bmd_setting DROP CONSTRAINT bmd_setting_name_is_known;
    EXECUTE format('ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_name_is_known CHECK ((%s) OR name IN '
        '(''storm_devices'', ''storm_site_devices'', ''storm_window_seconds'', ''storm_rest_seconds''))', known);
    EXECUTE format('COMMENT ON COLUMN bmd_setting.name IS %L',
        col_description('bmd_setting'::regclass, 1) || '. storm_devices: so many devices of one collector that fall '
        'silent within storm_window_seconds have one alert; 0: never. storm_site_devices: the same of any devices, at '
        'least a 5000th of all. storm_rest_seconds: so long fewer than storm_devices may be left in it');
END
$$;
INSERT INTO bmd_setting (name, value) VALUES ('storm_devices', 10), ('storm_site_devices', 20),
    ('storm_window_seconds', 30), ('storm_rest_seconds', 120);
