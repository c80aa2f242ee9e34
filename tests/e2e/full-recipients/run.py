"""Escalates to more feeds than there is room for; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, add_device, alerts, hand, provisioned, stats
from stack import run, wait_until


def messages(stack, serial):
    return stack.sql("SELECT DISTINCT username FROM bmd_delivery d JOIN bmd_alert USING (alert_id) "
                     f"WHERE serial = '{serial}' AND way = 'message'")


def the_first_one_has_room(stack):
    stack.sql("BEGIN; INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('quick', '1 hour');"
              "INSERT INTO bmd_escalation_step (policy_id, position, after, whom, username, how) SELECT policy_id, "
              "v.position, v.after::interval, whom, username, '{subscribe}' FROM bmd_escalation_policy, "
              "(VALUES (1, '0', 'responsible', NULL), (2, '1 s', 'person', 'tech2')) v (position, after, whom, username);"
              "COMMIT")
    for serial in ("ROOM", "NONE"):
        add_device(stack, serial, assign="tech1")
    provisioned(stack)
    stack.two = Watcher(stack, "tech2")
    hand(stack, "ROOM SpO2=80")
    stack.two.wait(lambda: stack.two.about("ROOM"), "the alert")
    assert messages(stack, "ROOM") == [] and stats(stack)["recipients_lost_memory"] == 0


def whom_there_is_no_room_for_gets_a_message(stack):
    before = stats(stack)
    hand(stack, "NONE SpO2=80")
    wait_until(lambda: messages(stack, "NONE") == [["tech2"]], 5, "the message")
    after = stats(stack)
    assert after["recipients_lost_memory"] == 1, after
    assert after["escalation_nobody"] == before["escalation_nobody"] + 1, after
    assert "raise the parameter \"recipients\"" in stack.log()
    stack.two.pump(0.2)
    assert not stack.two.about("NONE") and stack.two.about("ROOM")
    assert [a["response"] for a in alerts(stack, "NONE")] == ["escalated"]


run("full-recipients", [the_first_one_has_room, whom_there_is_no_room_for_gets_a_message],
    "--set", "RECIPIENTS=1", errors_expected=True)
