-- sample.sql - provisioning to try the system with; not a migration.
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Invented people.  Safe to apply again.  Limits are examples, not medical advice.
-- Technicians get their passwords from bmd_set_password(); none is here.

BEGIN;

INSERT INTO bmd_device_type (type_name, manufacturer, model, stale_after, description) VALUES
    ('PB840 ventilator', 'Puritan Bennett', '840', '10 s', 'ventilator, SNDF reports'),
    ('Nonin oximeter', 'Nonin', 'data format 2', '30 s', 'pulse oximeter, 75 frames a second'),
    ('Bi-level machine', '', '', '1 min', 'bi-level or CPAP machine'),
    ('Oxygen concentrator', '', '', '3 min', 'oxygen concentrator'),
    ('Capnograph', '', '', '1 min', 'capnograph')
ON CONFLICT DO NOTHING;

INSERT INTO bmd_type_limit (type_name, metric, low, high, hysteresis, delay, priority, latching) VALUES
    ('PB840 ventilator', 'RespRate', 8, 35, 1, '0 s', 'medium', false),
    ('PB840 ventilator', 'Ppeak', 5, 40, 2, '0 s', 'high', false),
    ('PB840 ventilator', 'MVe', 3, 20, 0.5, '0 s', 'high', false),
    ('PB840 ventilator', 'VTe', 0.2, 1.6, 0.02, '0 s', 'medium', false),
    ('Nonin oximeter', 'SpO2', 90, NULL, 2, '0 s', 'high', false),
    ('Nonin oximeter', 'PulseRate', 50, 120, 3, '0 s', 'medium', false),
    ('Bi-level machine', 'Leak', NULL, 60, 5, '30 s', 'medium', false),
    ('Bi-level machine', 'IPAP', 4, 40, 1, '10 s', 'medium', false),
    ('Oxygen concentrator', 'O2Purity', 82, NULL, 2, '1 min', 'medium', false),
    ('Oxygen concentrator', 'O2Flow', 0.5, 10, 0.2, '30 s', 'medium', false),
    ('Capnograph', 'etCO2', 25, 60, 2, '10 s', 'high', false)
ON CONFLICT DO NOTHING;

INSERT INTO bmd_patient (name, address)
SELECT v.name, v.address
FROM (VALUES ('Anna Example', '1 Sample Street, Exampleton'),
             ('Boris Example', '2 Sample Street, Exampleton')) v (name, address)
WHERE NOT EXISTS (SELECT FROM bmd_patient p WHERE p.name = v.name AND p.address = v.address);

INSERT INTO bmd_device (serial, type_name, location, patient_id) VALUES
    ('VENT-840-1', 'PB840 ventilator', 'bedroom', (SELECT min(patient_id) FROM bmd_patient WHERE name = 'Anna Example')),
    ('OX-1001', 'Nonin oximeter', 'living room', (SELECT min(patient_id) FROM bmd_patient WHERE name = 'Boris Example'))
ON CONFLICT DO NOTHING;

-- this patient's physician wants to know earlier
INSERT INTO bmd_device_limit (serial, metric, low, high) VALUES ('VENT-840-1', 'MVe', 6, 15)
ON CONFLICT DO NOTHING;

INSERT INTO bmd_group (group_name, description) VALUES
    ('ventilated', 'homes with a ventilator'), ('oximetry', 'homes with an oximeter')
ON CONFLICT DO NOTHING;
INSERT INTO bmd_group_device (group_name, serial) VALUES
    ('ventilated', 'VENT-840-1'), ('oximetry', 'OX-1001')
ON CONFLICT DO NOTHING;

INSERT INTO bmd_technician (username, full_name) VALUES
    ('tech1', 'Toni First'), ('tech2', 'Toni Second'), ('tech3', 'Toni Third')
ON CONFLICT DO NOTHING;
INSERT INTO bmd_team (team_name) VALUES ('night') ON CONFLICT DO NOTHING;
INSERT INTO bmd_team_member (team_name, username) VALUES ('night', 'tech1'), ('night', 'tech2')
ON CONFLICT DO NOTHING;

-- tech1: both devices.  tech2: the oximeters, through the team.  tech3: nothing.
INSERT INTO bmd_assignment (username, team_name, serial, group_name) VALUES
    ('tech1', NULL, 'VENT-840-1', NULL),
    (NULL, 'night', NULL, 'oximetry')
ON CONFLICT DO NOTHING;

COMMIT;
