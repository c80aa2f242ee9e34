"""provision.py - devices, patients, prescribed values and groups for the benchmark, made in SQL.

SPDX-License-Identifier: GPL-2.0-or-later
Serial numbers are B and eight digits, as batch.hpp has them.  Invented people.
"""

TYPE = """
INSERT INTO bmd_device_type (type_name, stale_after, description)
VALUES ('Bench monitor', '1 day', 'of the benchmark') ON CONFLICT DO NOTHING;
INSERT INTO bmd_type_limit (type_name, metric, low, high, hysteresis, delay, priority) VALUES
    ('Bench monitor', 'SpO2', 90, NULL, 2, '0 s', 'high'),
    ('Bench monitor', 'PulseRate', 50, 120, 3, '0 s', 'medium'),
    ('Bench monitor', 'RespRate', 8, 35, 1, '0 s', 'medium'),
    ('Bench monitor', 'Ppeak', 5, 40, 2, '0 s', 'high'),
    ('Bench monitor', 'PEEP', 2, 12, 0.5, '0 s', 'low'),
    ('Bench monitor', 'MVe', 3, 20, 0.5, '0 s', 'high'),
    ('Bench monitor', 'VTe', 0.2, 1.6, 0.02, '0 s', 'medium'),
    ('Bench monitor', 'etCO2', 25, 60, 2, '0 s', 'high') ON CONFLICT DO NOTHING;
"""

DEVICES = """
BEGIN;
INSERT INTO bmd_patient (name, address)
SELECT 'Patient Example ' || n, n || ' Sample Street, Exampleton'
FROM generate_series({first}, {last}) n;
INSERT INTO bmd_device (serial, type_name, location, patient_id)
SELECT 'B' || lpad(n::text, 8, '0'), 'Bench monitor', 'bedroom',
       (SELECT max(patient_id) FROM bmd_patient) - {last} + n
FROM generate_series({first}, {last}) n;
INSERT INTO bmd_device_limit (serial, metric, low)
SELECT 'B' || lpad(n::text, 8, '0'), 'SpO2', 88 FROM generate_series({first}, {last}) n
WHERE n % {prescribed} = 0;
INSERT INTO bmd_group (group_name) SELECT 'ward' || n FROM generate_series(0, {last} / {group}) n
ON CONFLICT DO NOTHING;
INSERT INTO bmd_group_device (group_name, serial)
SELECT 'ward' || n / {group}, 'B' || lpad(n::text, 8, '0') FROM generate_series({first}, {last}) n;
COMMIT;
"""

TECHNICIANS = """
BEGIN;
INSERT INTO bmd_technician (username)
SELECT 'nurse' || n FROM generate_series(0, {last} / {group}) n ON CONFLICT DO NOTHING;
INSERT INTO bmd_assignment (username, group_name)
SELECT 'nurse' || n, 'ward' || n FROM generate_series(0, {last} / {group}) n ON CONFLICT DO NOTHING;
COMMIT;
ANALYZE;
"""


def devices(stack, count, first=1, prescribed=10, group=100):
    """Devices first..first+count-1, each with a patient; every `prescribed`-th with a prescribed
    value; `group` to a group, each group with a technician."""
    words = {"first": first, "last": first + count - 1, "prescribed": prescribed, "group": group}
    stack.sql(TYPE + DEVICES.format(**words) + TECHNICIANS.format(**words))
