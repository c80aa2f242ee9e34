-- 0021_bmd_second_limit.sql - a second limit needs a first one in force, and lies beyond it.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A CHECK sees one row and passes on NULL: a low_low without low never alarms, since nothing is wrong before low.

-- pg_temp last: functions that run with their owner's rights must not find a caller's temporary table.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- Equal: both at the end of the plausible range, which switches both off.
ALTER TABLE bmd_type_limit
    DROP CONSTRAINT bmd_type_limit_low_low_is_below_low,
    DROP CONSTRAINT bmd_type_limit_high_high_is_above_high,
    ADD CONSTRAINT bmd_type_limit_low_low_is_below_low CHECK (low_low <= low),
    ADD CONSTRAINT bmd_type_limit_high_high_is_above_high CHECK (high_high >= high);
ALTER TABLE bmd_device_limit
    DROP CONSTRAINT bmd_device_limit_low_low_is_below_low,
    DROP CONSTRAINT bmd_device_limit_high_high_is_above_high,
    ADD CONSTRAINT bmd_device_limit_low_low_is_below_low CHECK (low_low <= low),
    ADD CONSTRAINT bmd_device_limit_high_high_is_above_high CHECK (high_high >= high);

CREATE FUNCTION bmd_refuse_second_limit(a_serial text, a_metric text, a_low double precision, a_high double precision,
    a_low_low double precision, a_high_high double precision) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    m bmd_metric%ROWTYPE;
BEGIN
    SELECT * INTO m FROM bmd_metric WHERE name = a_metric;
    IF a_low_low > m.min_value AND (a_low_low < a_low) IS NOT TRUE THEN
        RAISE EXCEPTION 'device %: in force for % would be low_low % and low %: low_low must be below a low',
            a_serial, a_metric, a_low_low, COALESCE(a_low::text, 'none')
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bmd_limit_low_low_is_below_low',
                HINT = format('Give low as well; low_low %s switches the second limit off.', m.min_value);
    END IF;
    IF a_high_high < m.max_value AND (a_high_high > a_high) IS NOT TRUE THEN
        RAISE EXCEPTION 'device %: in force for % would be high_high % and high %: high_high must be above a high',
            a_serial, a_metric, a_high_high, COALESCE(a_high::text, 'none')
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bmd_limit_high_high_is_above_high',
                HINT = format('Give high as well; high_high %s switches the second limit off.', m.max_value);
    END IF;
END
$$;
COMMENT ON FUNCTION bmd_refuse_second_limit(text, text, double precision, double precision, double precision,
    double precision) IS 'Refuses a second limit in force that no value passes after the first';

-- As before, with the second limits.
CREATE OR REPLACE FUNCTION bmd_check_limits_in_force() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'bmd_type_limit' THEN
        PERFORM bmd_refuse_contradiction(format('of type %s', c.type_name), c.metric, c.low, c.high, c.hysteresis),
            bmd_refuse_second_limit(format('of type %s', c.type_name), c.metric, c.low, c.high, c.low_low, c.high_high)
        FROM changed c;
        PERFORM bmd_refuse_contradiction(l.serial, l.metric, l.low, l.high, l.hysteresis),
            bmd_refuse_second_limit(l.serial, l.metric, l.low, l.high, l.low_low, l.high_high)
        FROM changed c
        JOIN bmd_device_limit p ON p.metric = c.metric
        JOIN bmd_device d ON d.serial = p.serial AND d.type_name = c.type_name
        JOIN bmd_limit l ON l.serial = p.serial AND l.metric = p.metric;
    ELSE
        PERFORM bmd_refuse_contradiction(l.serial, l.metric, l.low, l.high, l.hysteresis),
            bmd_refuse_second_limit(l.serial, l.metric, l.low, l.high, l.low_low, l.high_high)
        FROM bmd_device_limit p
        JOIN bmd_limit l ON l.serial = p.serial AND l.metric = p.metric
        WHERE p.serial IN (SELECT c.serial FROM changed c);
    END IF;
    RETURN NULL;
END
$$;

-- Without the standard value a prescribed second limit may be left alone.
CREATE TRIGGER bmd_type_limit_in_force_delete AFTER DELETE ON bmd_type_limit
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_check_limits_in_force();

COMMENT ON COLUMN bmd_alert_event.event IS 'What happened: raised, latched, reopened, updated, priority, cleared, closed, superseded, disabled, removed, reassigned; delivered, accepted, rejected, escalated, acknowledged, resolved, ended; silenced, silence-over; suppressed, resumed';
