-- 0006_bmd_reading.sql - readings in day partitions, and how far collectors and writers have come.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Written by binary COPY, hundreds of thousands of rows a second: no key, no foreign key, no
-- B-tree.  "Nothing twice" is kept by bmd_collector_state, set in the transaction of the rows.

-- pg_temp last: functions that run with their owner's rights must not find a caller's temporary table.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE bmd_reading (
    received_at  timestamptz      NOT NULL,
    measured_at  timestamptz      NOT NULL,
    device_id    integer          NOT NULL,
    metric_id    smallint         NOT NULL,
    kind         smallint         NOT NULL,
    value        double precision,
    priority     smallint,
    collector_id integer          NOT NULL,
    epoch        bigint           NOT NULL,
    seq          bigint           NOT NULL
) PARTITION BY RANGE (received_at);
COMMENT ON TABLE bmd_reading IS 'Every reading accepted, in a partition for each day (UTC) of arrival';
COMMENT ON COLUMN bmd_reading.received_at IS 'Arrival at the server';
COMMENT ON COLUMN bmd_reading.measured_at IS 'When it was measured, by the collector''s clock';
COMMENT ON COLUMN bmd_reading.device_id IS 'bmd_device.device_id; stays when the device is deleted';
COMMENT ON COLUMN bmd_reading.metric_id IS 'bmd_metric.metric_id';
COMMENT ON COLUMN bmd_reading.kind IS '1 value, 2 the device has no valid value, 3 alarm of the device on, 4 alarm off';
COMMENT ON COLUMN bmd_reading.value IS 'In the unit of the metric; NULL unless kind is 1';
COMMENT ON COLUMN bmd_reading.priority IS '1 low, 2 medium, 3 high; NULL unless kind is 3';
COMMENT ON COLUMN bmd_reading.collector_id IS 'bmd_collector_state.collector_id of the collector that reported it';
COMMENT ON COLUMN bmd_reading.epoch IS 'Numbering of the collector that seq belongs to';
COMMENT ON COLUMN bmd_reading.seq IS 'Number of the collector''s batch that carried it';

-- Rows arrive in order of received_at, so a summary of block ranges finds a window of time.  Only a
-- B-tree would find one device among all, at three times the cost of storing: 2,000,000 rows by
-- binary COPY took 1.8 s without index, 2.1 s with this one, 6.1 s with (device_id, received_at).
CREATE INDEX bmd_reading_received_at_idx ON bmd_reading
    USING brin (received_at) WITH (pages_per_range = 64);

-- Clocks of server and database may differ about midnight: yesterday's partition is kept ready too.
-- Readings of the day that wait in the default partition move into the new one.
CREATE FUNCTION bmd_ensure_partitions(days_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    today        date := (now() AT TIME ZONE 'UTC')::date;
    day          date;
    part         text;
    first_moment timestamptz;
    next_moment  timestamptz;
    created      integer := 0;
BEGIN
    IF days_ahead IS NULL OR days_ahead NOT BETWEEN 0 AND 366 THEN
        RAISE EXCEPTION 'days_ahead is %: 0 to 366 is possible', days_ahead
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('bmd_reading partitions'));
    FOR n IN -1..days_ahead LOOP
        day := today + n;
        part := 'bmd_reading_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(quote_ident(part)) IS NOT NULL;
        first_moment := day::timestamp AT TIME ZONE 'UTC';
        next_moment := (day + 1)::timestamp AT TIME ZONE 'UTC';
        EXECUTE format('CREATE TABLE %I (LIKE bmd_reading)', part);
        IF to_regclass('bmd_reading_default') IS NOT NULL THEN
            EXECUTE format('WITH stray AS (DELETE FROM bmd_reading_default '
                'WHERE received_at >= $1 AND received_at < $2 RETURNING *) '
                'INSERT INTO %I SELECT * FROM stray', part) USING first_moment, next_moment;
        END IF;
        EXECUTE format('ALTER TABLE bmd_reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            part, first_moment, next_moment);
        EXECUTE format('COMMENT ON TABLE %I IS %L', part, 'Readings that arrived on ' || day || ' (UTC)');
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$;
COMMENT ON FUNCTION bmd_ensure_partitions(integer) IS 'Creates the partitions of bmd_reading from yesterday to days_ahead days from now that are missing; returns how many';

CREATE FUNCTION bmd_drop_partitions(keep_days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    oldest  text;
    part    record;
    dropped integer := 0;
BEGIN
    IF keep_days IS NULL OR keep_days < 1 THEN
        RAISE EXCEPTION 'keep_days is %: at least 1 day must be kept', keep_days
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    oldest := 'bmd_reading_' || to_char((now() AT TIME ZONE 'UTC')::date - keep_days, 'YYYYMMDD');
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'bmd_reading'::regclass AND c.relname < oldest
    LOOP
        EXECUTE format('DROP TABLE %I', part.relname);
        dropped := dropped + 1;
    END LOOP;
    IF to_regclass('bmd_reading_default') IS NOT NULL THEN
        DELETE FROM bmd_reading_default
        WHERE received_at < ((now() AT TIME ZONE 'UTC')::date - keep_days)::timestamp AT TIME ZONE 'UTC';
    END IF;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION bmd_drop_partitions(integer) IS 'Drops the readings that arrived more than keep_days days before today (UTC); returns how many partitions';
REVOKE ALL ON FUNCTION bmd_ensure_partitions(integer), bmd_drop_partitions(integer) FROM PUBLIC;

SELECT bmd_ensure_partitions(2);

CREATE TABLE bmd_collector_state (
    collector_id integer     GENERATED ALWAYS AS IDENTITY,
    collector    text        NOT NULL,
    epoch        bigint      NOT NULL DEFAULT 0,
    durable_seq  bigint      NOT NULL DEFAULT 0,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bmd_collector_state_pkey PRIMARY KEY (collector_id),
    CONSTRAINT bmd_collector_state_collector_key UNIQUE (collector),
    CONSTRAINT bmd_collector_state_name_has_1_to_31_letters_digits_dots_dashes
        CHECK (collector ~ '^[A-Za-z0-9._-]{1,31}$'),
    CONSTRAINT bmd_collector_state_numbers_are_not_negative CHECK (epoch >= 0 AND durable_seq >= 0)
);
COMMENT ON TABLE bmd_collector_state IS 'What of each collector is stored; set in the transaction that stores the readings';
COMMENT ON COLUMN bmd_collector_state.collector_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_collector_state.collector IS 'Name of the collector';
COMMENT ON COLUMN bmd_collector_state.epoch IS 'Numbering that durable_seq belongs to; a collector that lost its spool begins a greater one';
COMMENT ON COLUMN bmd_collector_state.durable_seq IS 'All batches of the epoch up to this number are stored';
COMMENT ON COLUMN bmd_collector_state.updated_at IS 'Last change';

CREATE TABLE bmd_writer (
    node       text        NOT NULL,
    position   bigint      NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bmd_writer_pkey PRIMARY KEY (node),
    CONSTRAINT bmd_writer_node_has_1_to_63_bytes CHECK (octet_length(node) BETWEEN 1 AND 63),
    CONSTRAINT bmd_writer_position_is_not_negative CHECK (position >= 0)
);
COMMENT ON TABLE bmd_writer IS 'How far each server''s writer has stored its journal; set in the transaction of the data';
COMMENT ON COLUMN bmd_writer.node IS 'Name of the server';
COMMENT ON COLUMN bmd_writer.position IS 'Position in that server''s journal up to which everything is stored';
COMMENT ON COLUMN bmd_writer.updated_at IS 'Last change';

CREATE VIEW bmd_readings AS
SELECT r.received_at,
       r.measured_at,
       d.serial,
       m.name AS metric,
       (ARRAY['value', 'invalid', 'alarm on', 'alarm off'])[r.kind] AS kind,
       r.value,
       m.ucum AS unit,
       (ARRAY['low', 'medium', 'high'])[r.priority] AS priority,
       c.collector
FROM bmd_reading r
LEFT JOIN bmd_device d ON d.device_id = r.device_id
LEFT JOIN bmd_metric m ON m.metric_id = r.metric_id
LEFT JOIN bmd_collector_state c ON c.collector_id = r.collector_id;
COMMENT ON VIEW bmd_readings IS 'Readings for people; give a window of received_at, or the whole store is read';
COMMENT ON COLUMN bmd_readings.received_at IS 'Arrival at the server';
COMMENT ON COLUMN bmd_readings.measured_at IS 'When it was measured, by the collector''s clock';
COMMENT ON COLUMN bmd_readings.serial IS 'Device; NULL when it has been deleted';
COMMENT ON COLUMN bmd_readings.metric IS 'Metric, or alarm of the device';
COMMENT ON COLUMN bmd_readings.kind IS 'value, invalid, alarm on or alarm off';
COMMENT ON COLUMN bmd_readings.value IS 'In the unit of the metric; NULL unless kind is value';
COMMENT ON COLUMN bmd_readings.unit IS 'UCUM';
COMMENT ON COLUMN bmd_readings.priority IS 'low, medium or high; NULL unless kind is alarm on';
COMMENT ON COLUMN bmd_readings.collector IS 'Collector that reported it';
