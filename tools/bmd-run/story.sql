-- story.sql - what happened to the first alert of the ventilator that somebody accepted.
-- SPDX-License-Identifier: GPL-2.0-or-later
-- One line a change: time, change, by whom, through what, why.

SELECT format('%s  %-9s%s%s%s', to_char(e.at, 'HH24:MI:SS'), e.event, ' by ' || nullif(e.who, ''),
    ' through ' || nullif(e.through, ''), ': ' || nullif(e.why, ''))
FROM bmd_alert_event e
WHERE e.alert_id = (SELECT a.alert_id FROM bmd_alert a JOIN bmd_alert_event t USING (alert_id)
    WHERE a.serial = 'VENT-840-1' AND t.event = 'accepted' ORDER BY t.at LIMIT 1)
ORDER BY e.at, e.revision;
