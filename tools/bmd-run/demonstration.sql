-- demonstration.sql - who is called for the ventilator of `make run`: short times, to be watched.
-- SPDX-License-Identifier: GPL-2.0-or-later

BEGIN;
INSERT INTO bmd_escalation_policy (policy_name, type_name, repeat_after)
    VALUES ('demonstration', 'PB840 ventilator', '10 s');
INSERT INTO bmd_escalation_step (policy_id, position, after, whom, username)
    SELECT policy_id, s.position, s.after, s.whom, s.username FROM bmd_escalation_policy,
        (VALUES (1, interval '0', 'responsible', NULL), (2, interval '4 s', 'person', 'tech2'))
            s (position, after, whom, username)
    WHERE policy_name = 'demonstration';
COMMIT;
