"""calling.py - words of the cases about calls: policies that call, and what became of it.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import time

from scene import add_device, alerts, hand, records
from stack import wait_until

# Devices that fall silent meanwhile would call, too.
POLICIES = """BEGIN;
UPDATE bmd_device_type SET stale_after = '1 hour';
INSERT INTO bmd_group (group_name) VALUES ('calls'), ('others');
INSERT INTO bmd_escalation_policy (policy_name, group_name, repeat_after) VALUES
    ('calls', 'calls', '1 hour'), ('others', 'others', '1 hour');
INSERT INTO bmd_escalation_step (policy_id, position, after, whom, how)
    SELECT policy_id, 0, '0', 'responsible', '{subscribe}' FROM bmd_escalation_policy;
INSERT INTO bmd_escalation_step (policy_id, position, after, whom, username, how)
    SELECT policy_id, 1, '0.2 s', 'person', CASE policy_name WHEN 'calls' THEN 'tech2' ELSE 'tech3' END, '{call}'
    FROM bmd_escalation_policy;
COMMIT"""


def only_calls(stack):
    """Devices of the group "calls" call tech2, those of "others" tech3; once an hour."""
    before = stack.stat("sync_changes")
    stack.sql(POLICIES)
    wait_until(lambda: stack.stat("sync_changes") > before, 3, "the policies")


def called_device(stack, serial, group="calls", **options):
    add_device(stack, serial, assign="tech1", **options)
    stack.sql(f"INSERT INTO bmd_group_device (group_name, serial) VALUES ('{group}', '{serial}')")
    wait_until(lambda: any("group" in r.get("why", "") for r in records(stack.kamcmd("bmd.dry-run", serial))),
               3, "the group of the device")


def settle(stack):
    """Whatever still waits for an answer is accepted: nothing calls any more."""
    for alert in alerts(stack):
        if alert["response"] not in ("accepted", "acknowledged"):
            try:
                stack.kamcmd("bmd.accept", alert["code"], "tech1")
            except AssertionError:
                if any(other["id"] == alert["id"] for other in alerts(stack)):  # or it was over meanwhile
                    raise


def raise_alert(stack, serial):
    """Of high priority, the only one that calls."""
    settle(stack)
    hand(stack, f"{serial} SpO2=80")


def attempts(stack, serial, count, timeout=6):
    """[person, terminal, code] of every attempt to tell the device's alert by call, in order of the answers; waits for
    `count` of them, and whether one more comes."""
    def stored():
        return stack.sql("SELECT username, terminal, d.code FROM bmd_delivery d JOIN bmd_alert USING (alert_id) "
                         f"WHERE serial = '{serial}' AND way = 'call' ORDER BY d.answered_at")
    wait_until(lambda: len(stored()) >= count, timeout, f"{count} attempts for {serial}, only {stored()}")
    time.sleep(0.2)
    return stored()


def in_time(stack, serial, since, at_least=0.0):
    """Every attempt to call because of the device was made and ended after `since`, in this order; it lasted so long."""
    rows = stack.sql("SELECT extract(epoch FROM d.sent_at), extract(epoch FROM d.answered_at) FROM bmd_delivery d "
                     f"JOIN bmd_alert USING (alert_id) WHERE serial = '{serial}' AND way = 'call'")
    assert rows, f"no attempt of {serial}"
    for sent, answered in rows:
        times = [since, float(sent), float(answered), time.time()]
        assert times == sorted(times) and times[2] - times[1] >= at_least, (serial, times)


def delivered_to(stack, serial):
    """What kamcmd shows of the alert."""
    return records(stack.kamcmd("bmd.alert", alerts(stack, serial)[0]["code"]))[0]["delivered_to"]


def codes(stack, serial, count, timeout=6):
    return [row[2] for row in attempts(stack, serial, count, timeout)]
