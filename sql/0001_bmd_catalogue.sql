-- 0001_bmd_catalogue.sql - schema version and the catalogue of metrics.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Forward only; applied once, in one transaction, by tools/bmd-migrate, which records the version.
-- The rows of the catalogue are in 0002: they are generated from modules/common/src.

DO $$
BEGIN
    IF getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'database % has encoding %: bmd-alert needs UTF8',
            current_database(), getdatabaseencoding()
            USING HINT = 'createdb --encoding=UTF8 --template=template0 NAME';
    END IF;
END
$$;

CREATE TABLE bmd_schema_version (
    version    integer     NOT NULL,
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bmd_schema_version_pkey PRIMARY KEY (version),
    CONSTRAINT bmd_schema_version_is_positive CHECK (version > 0)
);
COMMENT ON TABLE bmd_schema_version IS 'Migrations applied to this database, written by bmd-migrate';
COMMENT ON COLUMN bmd_schema_version.version IS 'Number at the start of the file name';
COMMENT ON COLUMN bmd_schema_version.name IS 'File name';
COMMENT ON COLUMN bmd_schema_version.sha256 IS 'Digest of the file as it was applied, in hexadecimal';
COMMENT ON COLUMN bmd_schema_version.applied_at IS 'When the transaction that applied it began';

CREATE TABLE bmd_metric (
    metric_id smallint         NOT NULL,
    name      text             NOT NULL,
    mdc       text             NOT NULL DEFAULT '',
    ucum      text             NOT NULL DEFAULT '',
    min_value double precision,
    max_value double precision,
    is_alarm  boolean          NOT NULL DEFAULT false,
    kind      text,
    priority  text,
    text      text             NOT NULL,
    CONSTRAINT bmd_metric_pkey PRIMARY KEY (metric_id),
    CONSTRAINT bmd_metric_name_key UNIQUE (name),
    CONSTRAINT bmd_metric_name_is_a_letter_then_letters_or_digits
        CHECK (name ~ '^[A-Za-z][A-Za-z0-9]{0,30}$'),
    CONSTRAINT bmd_metric_id_is_1_to_999_or_1001_to_1999_for_alarms
        CHECK (metric_id BETWEEN 1 AND 999 AND NOT is_alarm
            OR metric_id BETWEEN 1001 AND 1999 AND is_alarm),
    CONSTRAINT bmd_metric_range_is_finite_and_not_empty
        CHECK (is_alarm OR (min_value IS NOT NULL AND max_value IS NOT NULL
            AND min_value > '-Infinity' AND min_value < max_value AND max_value < 'Infinity')),
    CONSTRAINT bmd_metric_alarm_has_kind_and_priority
        CHECK (NOT is_alarm OR (kind IS NOT NULL AND priority IS NOT NULL)),
    CONSTRAINT bmd_metric_kind_is_physiological_or_technical
        CHECK (kind IN ('physiological', 'technical')),
    CONSTRAINT bmd_metric_priority_is_high_medium_or_low
        CHECK (priority IN ('high', 'medium', 'low'))
);
COMMENT ON TABLE bmd_metric IS 'Catalogue: what devices measure, and the alarms they raise themselves; generated, never edited by hand';
COMMENT ON COLUMN bmd_metric.metric_id IS 'Stable number: 1 to 999 metrics, 1001 to 1999 alarms of devices';
COMMENT ON COLUMN bmd_metric.name IS 'Short name, the Variable of DMP';
COMMENT ON COLUMN bmd_metric.mdc IS 'ISO/IEEE 11073-10101 reference id; empty where the standard has none';
COMMENT ON COLUMN bmd_metric.ucum IS 'Unit, UCUM case sensitive; "1" for a metric without unit, empty for an alarm';
COMMENT ON COLUMN bmd_metric.min_value IS 'Smallest plausible value, in the unit; NULL for an alarm';
COMMENT ON COLUMN bmd_metric.max_value IS 'Largest plausible value, in the unit; NULL for an alarm';
COMMENT ON COLUMN bmd_metric.is_alarm IS 'True for an alarm that the device raises itself';
COMMENT ON COLUMN bmd_metric.kind IS 'physiological or technical; NULL for a metric';
COMMENT ON COLUMN bmd_metric.priority IS 'high, medium or low where the device only says "on"; NULL for a metric';
COMMENT ON COLUMN bmd_metric.text IS 'In plain words';
