-- 0016_bmd_alert_patient.sql - whose alert it is, so that a server that starts sees that the device serves another.
-- SPDX-License-Identifier: GPL-2.0-or-later

ALTER TABLE bmd_alert ADD COLUMN patient_id bigint;
COMMENT ON COLUMN bmd_alert.patient_id IS 'bmd_patient.patient_id at that time; NULL: the device served none';

-- Of open alerts raised before this column the present patient is the best guess.
UPDATE bmd_alert a SET patient_id = d.patient_id
FROM bmd_device d WHERE d.device_id = a.device_id AND a.state <> 'cleared';
