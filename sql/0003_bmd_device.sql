-- 0003_bmd_device.sql - device types with standard values, patients, devices with prescribed values.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Text that ends in a NOTIFY body has its length in bytes and no control characters: XML 1.0 has
-- no way to write them, and the server keeps the text in fixed records.

CREATE TABLE bmd_device_type (
    type_name    text     NOT NULL,
    manufacturer text     NOT NULL DEFAULT '',
    model        text     NOT NULL DEFAULT '',
    stale_after  interval NOT NULL,
    description  text     NOT NULL DEFAULT '',
    CONSTRAINT bmd_device_type_pkey PRIMARY KEY (type_name),
    CONSTRAINT bmd_device_type_name_has_1_to_31_bytes
        CHECK (octet_length(type_name) BETWEEN 1 AND 31),
    CONSTRAINT bmd_device_type_name_has_no_control_characters
        CHECK (type_name !~ '[\x01-\x1f\x7f\ufffe\uffff]'),
    CONSTRAINT bmd_device_type_stale_after_is_more_than_0_and_at_most_1_day
        CHECK (stale_after > interval '0' AND stale_after <= interval '1 day')
);
COMMENT ON TABLE bmd_device_type IS 'Kinds of devices';
COMMENT ON COLUMN bmd_device_type.type_name IS 'Name, 1 to 31 bytes; shown to technicians';
COMMENT ON COLUMN bmd_device_type.manufacturer IS 'Who makes it';
COMMENT ON COLUMN bmd_device_type.model IS 'Model of the manufacturer';
COMMENT ON COLUMN bmd_device_type.stale_after IS 'How long silence may last before a stale alert is raised; ventilators 10 s, others at most 3 min';
COMMENT ON COLUMN bmd_device_type.description IS 'For people';

CREATE TABLE bmd_type_limit (
    type_name  text             NOT NULL,
    metric     text             NOT NULL,
    low        double precision,
    high       double precision,
    hysteresis double precision NOT NULL DEFAULT 0,
    delay      interval         NOT NULL DEFAULT interval '0',
    priority   text             NOT NULL,
    latching   boolean          NOT NULL DEFAULT false,
    CONSTRAINT bmd_type_limit_pkey PRIMARY KEY (type_name, metric),
    CONSTRAINT bmd_type_limit_type_name_fkey FOREIGN KEY (type_name)
        REFERENCES bmd_device_type ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_type_limit_metric_fkey FOREIGN KEY (metric) REFERENCES bmd_metric (name),
    CONSTRAINT bmd_type_limit_low_or_high_is_given CHECK (low IS NOT NULL OR high IS NOT NULL),
    CONSTRAINT bmd_type_limit_low_is_below_high CHECK (low < high),
    CONSTRAINT bmd_type_limit_hysteresis_is_finite_and_not_negative
        CHECK (hysteresis >= 0 AND hysteresis < 'Infinity'),
    CONSTRAINT bmd_type_limit_delay_is_0_to_1_hour
        CHECK (delay >= interval '0' AND delay <= interval '1 hour'),
    CONSTRAINT bmd_type_limit_priority_is_high_medium_or_low
        CHECK (priority IN ('high', 'medium', 'low'))
);
COMMENT ON TABLE bmd_type_limit IS 'Standard values: alarm limits of all devices of a type';
COMMENT ON COLUMN bmd_type_limit.type_name IS 'Type of the devices';
COMMENT ON COLUMN bmd_type_limit.metric IS 'What is limited; not an alarm of the device';
COMMENT ON COLUMN bmd_type_limit.low IS 'Lowest value that is right, in the unit of the metric; NULL: unchecked';
COMMENT ON COLUMN bmd_type_limit.high IS 'Highest value that is right, in the unit of the metric; NULL: unchecked';
COMMENT ON COLUMN bmd_type_limit.hysteresis IS 'How far back inside the limit a value must come to end the alert, in the unit of the metric';
COMMENT ON COLUMN bmd_type_limit.delay IS 'Alarm condition delay: how long the value must be wrong, 0 to 1 hour';
COMMENT ON COLUMN bmd_type_limit.priority IS 'high, medium or low';
COMMENT ON COLUMN bmd_type_limit.latching IS 'True: the alert stays after the condition has gone, until it is acknowledged';

CREATE TABLE bmd_patient (
    patient_id bigint GENERATED ALWAYS AS IDENTITY,
    name       text NOT NULL,
    address    text NOT NULL DEFAULT '',
    CONSTRAINT bmd_patient_pkey PRIMARY KEY (patient_id),
    CONSTRAINT bmd_patient_name_has_1_to_95_bytes CHECK (octet_length(name) BETWEEN 1 AND 95),
    CONSTRAINT bmd_patient_address_has_at_most_191_bytes CHECK (octet_length(address) <= 191),
    CONSTRAINT bmd_patient_has_no_control_characters
        CHECK (name !~ '[\x01-\x1f\x7f\ufffe\uffff]' AND address !~ '[\x01-\x1f\x7f\ufffe\uffff]')
);
COMMENT ON TABLE bmd_patient IS 'Patients; what a technician is told of them';
COMMENT ON COLUMN bmd_patient.patient_id IS 'Number given by the database';
COMMENT ON COLUMN bmd_patient.name IS 'Name, 1 to 95 bytes';
COMMENT ON COLUMN bmd_patient.address IS 'Where the patient lives, at most 191 bytes, one line';

CREATE TABLE bmd_device (
    device_id  integer GENERATED ALWAYS AS IDENTITY,
    serial     text    NOT NULL,
    type_name  text    NOT NULL,
    location   text    NOT NULL DEFAULT '',
    patient_id bigint,
    collector  text,
    enabled    boolean NOT NULL DEFAULT true,
    CONSTRAINT bmd_device_pkey PRIMARY KEY (serial),
    CONSTRAINT bmd_device_device_id_key UNIQUE (device_id),
    CONSTRAINT bmd_device_type_name_fkey FOREIGN KEY (type_name)
        REFERENCES bmd_device_type ON UPDATE CASCADE,
    CONSTRAINT bmd_device_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES bmd_patient,
    CONSTRAINT bmd_device_serial_has_1_to_31_letters_digits_dots_dashes
        CHECK (serial ~ '^[A-Za-z0-9._-]{1,31}$'),
    CONSTRAINT bmd_device_location_has_at_most_95_bytes CHECK (octet_length(location) <= 95),
    CONSTRAINT bmd_device_location_has_no_control_characters
        CHECK (location !~ '[\x01-\x1f\x7f\ufffe\uffff]'),
    CONSTRAINT bmd_device_collector_has_1_to_31_letters_digits_dots_dashes
        CHECK (collector ~ '^[A-Za-z0-9._-]{1,31}$')
);
COMMENT ON TABLE bmd_device IS 'Devices in patients'' homes';
COMMENT ON COLUMN bmd_device.device_id IS 'Number given by the database; stands for the device in bmd_reading';
COMMENT ON COLUMN bmd_device.serial IS 'Serial number, 1 to 31 of letters, digits, ".", "_", "-"; case matters';
COMMENT ON COLUMN bmd_device.type_name IS 'Type, which gives the standard values';
COMMENT ON COLUMN bmd_device.location IS 'Where it stands, at most 95 bytes';
COMMENT ON COLUMN bmd_device.patient_id IS 'Patient it serves; NULL: none at present';
COMMENT ON COLUMN bmd_device.collector IS 'Name of the only collector that may report it; NULL: any';
COMMENT ON COLUMN bmd_device.enabled IS 'False: in stock or repair; its readings raise no alert';
CREATE INDEX bmd_device_type_name_idx ON bmd_device (type_name);
CREATE INDEX bmd_device_patient_id_idx ON bmd_device (patient_id) WHERE patient_id IS NOT NULL;

CREATE TABLE bmd_device_limit (
    serial     text NOT NULL,
    metric     text NOT NULL,
    low        double precision,
    high       double precision,
    hysteresis double precision,
    delay      interval,
    priority   text,
    latching   boolean,
    CONSTRAINT bmd_device_limit_pkey PRIMARY KEY (serial, metric),
    CONSTRAINT bmd_device_limit_serial_fkey FOREIGN KEY (serial)
        REFERENCES bmd_device ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT bmd_device_limit_metric_fkey FOREIGN KEY (metric) REFERENCES bmd_metric (name),
    CONSTRAINT bmd_device_limit_prescribes_something
        CHECK (num_nonnulls(low, high, hysteresis, delay, priority, latching) > 0),
    CONSTRAINT bmd_device_limit_low_is_below_high CHECK (low < high),
    CONSTRAINT bmd_device_limit_hysteresis_is_finite_and_not_negative
        CHECK (hysteresis >= 0 AND hysteresis < 'Infinity'),
    CONSTRAINT bmd_device_limit_delay_is_0_to_1_hour
        CHECK (delay >= interval '0' AND delay <= interval '1 hour'),
    CONSTRAINT bmd_device_limit_priority_is_high_medium_or_low
        CHECK (priority IN ('high', 'medium', 'low'))
);
COMMENT ON TABLE bmd_device_limit IS 'Prescribed values: limits of one device; what is NULL is inherited from the standard values of its type';
COMMENT ON COLUMN bmd_device_limit.serial IS 'Device';
COMMENT ON COLUMN bmd_device_limit.metric IS 'What is limited; not an alarm of the device';
COMMENT ON COLUMN bmd_device_limit.low IS 'Lowest value that is right; NULL: standard. The end of the plausible range switches the side off';
COMMENT ON COLUMN bmd_device_limit.high IS 'Highest value that is right; NULL: standard. The end of the plausible range switches the side off';
COMMENT ON COLUMN bmd_device_limit.hysteresis IS 'How far back inside the limit ends the alert; NULL: standard';
COMMENT ON COLUMN bmd_device_limit.delay IS 'How long the value must be wrong, 0 to 1 hour; NULL: standard';
COMMENT ON COLUMN bmd_device_limit.priority IS 'high, medium or low; NULL: standard, or high where there is no standard';
COMMENT ON COLUMN bmd_device_limit.latching IS 'True: the alert stays until acknowledged; NULL: standard';
CREATE INDEX bmd_device_limit_metric_idx ON bmd_device_limit (metric);
