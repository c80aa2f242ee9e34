-- 0004_bmd_limit_check.sql - limits must be plausible, and prescribed must fit standard values.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A CHECK sees one row; these rules need the catalogue and the row of the type.

-- The limits in force for each metric of each device: prescribed over standard.
CREATE VIEW bmd_limit AS
SELECT d.serial,
       m.metric,
       CASE WHEN p.low IS NULL THEN s.low ELSE p.low END AS low,
       CASE WHEN p.high IS NULL THEN s.high ELSE p.high END AS high,
       COALESCE(p.hysteresis, s.hysteresis, 0) AS hysteresis,
       COALESCE(p.delay, s.delay, interval '0') AS delay,
       COALESCE(p.priority, s.priority, 'high') AS priority,
       COALESCE(p.latching, s.latching, false) AS latching
FROM bmd_device d
CROSS JOIN LATERAL (
    SELECT l.metric FROM bmd_type_limit l WHERE l.type_name = d.type_name
    UNION
    SELECT l.metric FROM bmd_device_limit l WHERE l.serial = d.serial) m
LEFT JOIN bmd_type_limit s ON s.type_name = d.type_name AND s.metric = m.metric
LEFT JOIN bmd_device_limit p ON p.serial = d.serial AND p.metric = m.metric;
COMMENT ON VIEW bmd_limit IS 'Limits in force: prescribed values over standard values';
COMMENT ON COLUMN bmd_limit.serial IS 'Device';
COMMENT ON COLUMN bmd_limit.metric IS 'What is limited';
COMMENT ON COLUMN bmd_limit.low IS 'Lowest value that is right; NULL: unchecked';
COMMENT ON COLUMN bmd_limit.high IS 'Highest value that is right; NULL: unchecked';
COMMENT ON COLUMN bmd_limit.hysteresis IS 'How far back inside the limit ends the alert';
COMMENT ON COLUMN bmd_limit.delay IS 'How long the value must be wrong';
COMMENT ON COLUMN bmd_limit.priority IS 'high, medium or low';
COMMENT ON COLUMN bmd_limit.latching IS 'True: the alert stays until acknowledged';

CREATE FUNCTION bmd_check_limit_row() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    m    bmd_metric%ROWTYPE;
    side record;
BEGIN
    SELECT * INTO m FROM bmd_metric WHERE name = NEW.metric;
    IF NOT FOUND THEN
        RETURN NEW; -- the foreign key refuses it
    END IF;
    IF m.is_alarm THEN
        RAISE EXCEPTION '% is an alarm that devices raise themselves: it has no limits', m.name
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_metric_is_no_alarm',
                HINT = 'SELECT name FROM bmd_metric WHERE NOT is_alarm';
    END IF;
    FOR side IN SELECT * FROM (VALUES ('low', NEW.low), ('high', NEW.high)) v (name, value) LOOP
        IF side.value < m.min_value OR side.value > m.max_value THEN
            RAISE EXCEPTION '% limit % of % is outside the plausible range % to % %',
                side.name, side.value, m.name, m.min_value, m.max_value, m.ucum
                USING ERRCODE = 'check_violation',
                    CONSTRAINT = TG_TABLE_NAME || '_limit_is_plausible',
                    HINT = format('Give a number from %s to %s in %s, or NULL for no limit.',
                        m.min_value, m.max_value, m.ucum);
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION bmd_check_limit_row() IS 'Refuses limits of alarms and limits outside the plausible range';

CREATE TRIGGER bmd_type_limit_check BEFORE INSERT OR UPDATE ON bmd_type_limit
    FOR EACH ROW EXECUTE FUNCTION bmd_check_limit_row();
CREATE TRIGGER bmd_device_limit_check BEFORE INSERT OR UPDATE ON bmd_device_limit
    FOR EACH ROW EXECUTE FUNCTION bmd_check_limit_row();

CREATE FUNCTION bmd_refuse_contradiction(a_serial text, a_metric text, a_low double precision,
    a_high double precision, a_hysteresis double precision) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF a_low >= a_high THEN
        RAISE EXCEPTION 'device %: in force for % would be low % and high %: low must be below high',
            a_serial, a_metric, a_low, a_high
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bmd_limit_low_is_below_high',
                HINT = 'A prescribed side is completed by the standard value of the other: prescribe both.';
    END IF;
    IF a_hysteresis >= a_high - a_low THEN
        RAISE EXCEPTION 'device %: hysteresis % of % leaves nothing between low % and high %',
            a_serial, a_hysteresis, a_metric, a_low, a_high
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bmd_limit_hysteresis_is_below_high_minus_low',
                HINT = 'An alert could never end: the hysteresis must be less than high minus low.';
    END IF;
END
$$;
COMMENT ON FUNCTION bmd_refuse_contradiction(text, text, double precision, double precision,
    double precision) IS 'Refuses limits in force that contradict each other';

-- One function for the three tables whose rows make up the limits in force.  Only rows with
-- something prescribed can contradict, so a statement on 1,000,000 devices costs little.
CREATE FUNCTION bmd_check_limits_in_force() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'bmd_type_limit' THEN
        PERFORM bmd_refuse_contradiction(format('of type %s', c.type_name), c.metric, c.low, c.high,
            c.hysteresis) FROM changed c;
        PERFORM bmd_refuse_contradiction(l.serial, l.metric, l.low, l.high, l.hysteresis)
        FROM changed c
        JOIN bmd_device_limit p ON p.metric = c.metric
        JOIN bmd_device d ON d.serial = p.serial AND d.type_name = c.type_name
        JOIN bmd_limit l ON l.serial = p.serial AND l.metric = p.metric;
    ELSE
        PERFORM bmd_refuse_contradiction(l.serial, l.metric, l.low, l.high, l.hysteresis)
        FROM bmd_device_limit p
        JOIN bmd_limit l ON l.serial = p.serial AND l.metric = p.metric
        WHERE p.serial IN (SELECT c.serial FROM changed c);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION bmd_check_limits_in_force() IS 'Refuses statements after which limits in force would contradict each other';

CREATE TRIGGER bmd_type_limit_in_force_insert AFTER INSERT ON bmd_type_limit
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_check_limits_in_force();
CREATE TRIGGER bmd_type_limit_in_force_update AFTER UPDATE ON bmd_type_limit
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_check_limits_in_force();
CREATE TRIGGER bmd_device_limit_in_force_insert AFTER INSERT ON bmd_device_limit
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_check_limits_in_force();
CREATE TRIGGER bmd_device_limit_in_force_update AFTER UPDATE ON bmd_device_limit
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_check_limits_in_force();
CREATE TRIGGER bmd_device_in_force_update AFTER UPDATE ON bmd_device
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bmd_check_limits_in_force();
