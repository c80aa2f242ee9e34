-- devices.sql - generated provisioning of any size; psql -v devices=1000000 -f devices.sql
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A patient a device, prescribed values for every tenth, two groups a device (by region and by
-- kind of therapy), 1,000 technicians of whom each has one region and every tenth one device of
-- his own besides, and a team.  Invented people.

\set ON_ERROR_STOP on
SET synchronous_commit = off;
INSERT INTO bmd_device_type (type_name, stale_after) VALUES
    ('Bench oximeter', '1 day'), ('Bench ventilator', '1 day'), ('Bench concentrator', '1 day');
INSERT INTO bmd_type_limit (type_name, metric, low, high, hysteresis, priority) VALUES
    ('Bench oximeter', 'SpO2', 90, NULL, 2, 'high'), ('Bench oximeter', 'PulseRate', 50, 120, 3, 'medium'),
    ('Bench oximeter', 'Perfusion', 0.1, NULL, 0, 'low'), ('Bench oximeter', 'SpO2Ext', 88, NULL, 2, 'medium'),
    ('Bench ventilator', 'Ppeak', 5, 40, 2, 'high'), ('Bench concentrator', 'O2Purity', 82, NULL, 2, 'medium');
INSERT INTO bmd_patient (name, address)
SELECT 'Patient ' || i || ' Example', i % 997 || ' Sample Street, ' || 10000 + i % 90000 || ' Exampleton'
FROM generate_series(1, :devices) i;
INSERT INTO bmd_device (serial, type_name, location, patient_id)
SELECT 'BENCH-' || i,
    (ARRAY['Bench oximeter', 'Bench ventilator', 'Bench concentrator'])[1 + i % 3],
    'bedroom, floor ' || i % 7, first + i - 1
FROM generate_series(1, :devices) i, (SELECT min(patient_id) AS first FROM bmd_patient WHERE name = 'Patient 1 Example') p;
INSERT INTO bmd_device_limit (serial, metric, low)
SELECT 'BENCH-' || i, 'SpO2', 88 FROM generate_series(10, :devices, 10) i;
INSERT INTO bmd_group (group_name)
SELECT 'region-' || i FROM generate_series(0, 999) i UNION ALL SELECT 'therapy-' || i FROM generate_series(0, 99) i;
INSERT INTO bmd_group_device (group_name, serial)
SELECT 'region-' || i % 1000, 'BENCH-' || i FROM generate_series(1, :devices) i
UNION ALL SELECT 'therapy-' || i / 1000 % 100, 'BENCH-' || i FROM generate_series(1, :devices) i;
INSERT INTO bmd_technician (username) SELECT 'bench' || i FROM generate_series(0, 999) i;
INSERT INTO bmd_team VALUES ('bench-team');
INSERT INTO bmd_team_member SELECT 'bench-team', 'bench' || i FROM generate_series(0, 990, 110) i;
INSERT INTO bmd_assignment (username, group_name)
SELECT 'bench' || i, 'region-' || i FROM generate_series(0, 999) i;
INSERT INTO bmd_assignment (username, serial)
SELECT 'bench' || i, 'BENCH-' || i + 1 FROM generate_series(0, 999, 10) i WHERE i < :devices;
INSERT INTO bmd_assignment (team_name, serial) VALUES ('bench-team', 'BENCH-1');
INSERT INTO bmd_device_seen (device_id) SELECT device_id FROM bmd_device WHERE serial LIKE 'BENCH-%' ON CONFLICT DO NOTHING;
ANALYZE;
