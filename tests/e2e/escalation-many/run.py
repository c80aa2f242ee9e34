"""A thousand alerts are overdue at a start; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import device, hand, provisioned, stats
from stack import run, wait_until

ALERTS = 1000  # half of them high, half medium
TEAM = 9       # with the step itself more rows than the ring of steps holds
AFTER = 8      # seconds: both the storing and the kill come before


def a_team_and_devices_exist(stack):
    stack.sql("BEGIN; INSERT INTO bmd_team (team_name) VALUES ('all');"
              f"INSERT INTO bmd_technician (username) SELECT 'many' || n FROM generate_series(1, {TEAM}) n;"
              f"INSERT INTO bmd_team_member (team_name, username) SELECT 'all', 'many' || n FROM generate_series(1, {TEAM}) n;"
              "INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('trial', '1 hour');"
              "INSERT INTO bmd_escalation_step (policy_id, position, after, whom) "
              "SELECT policy_id, 1, '0', 'responsible' FROM bmd_escalation_policy;"
              "INSERT INTO bmd_escalation_step (policy_id, position, after, whom, team_name) "
              f"SELECT policy_id, 2, '{AFTER} s', 'team', 'all' FROM bmd_escalation_policy;"
              "INSERT INTO bmd_device (serial, type_name) SELECT 'MANY-' || n, 'Nonin oximeter' "
              f"FROM generate_series(1, {ALERTS}) n;"
              "INSERT INTO bmd_assignment (username, serial) SELECT 'tech1', 'MANY-' || n "
              f"FROM generate_series(1, {ALERTS}) n; COMMIT")
    provisioned(stack)
    wait_until(lambda: device(stack, f"MANY-{ALERTS}"), 5, "the last device")


def the_server_is_killed_before_their_second_step(stack):
    raised = time.time()
    # the medium ones first: not age decides
    for metric in ("PulseRate=140", "SpO2=80"):
        first = 1 if metric.startswith("Pulse") else ALERTS // 2 + 1
        hand(stack, "\n".join(f"MANY-{n} {metric}" for n in range(first, first + ALERTS // 2)))
    wait_until(lambda: stack.sql("SELECT count(*) FROM bmd_escalation WHERE number = 1") == [[str(ALERTS)]],
               AFTER - 1, "the first steps")
    stack.kill9()
    assert stack.sql("SELECT 1 FROM bmd_escalation WHERE number = 2") == []
    time.sleep(max(0.0, raised + AFTER + 0.5 - time.time()))
    stack.restart()


def every_step_is_stored_with_all_its_people(stack):
    wait_until(lambda: stats(stack)["escalation_steps"] >= ALERTS, 30, "the second steps")
    wait_until(lambda: stats(stack)["journal_escalations"] == 0, 30, "their storing")
    found = stack.sql("SELECT count(*), min(people), max(people) FROM bmd_escalation WHERE number = 2")
    assert found == [[str(ALERTS), str(TEAM), str(TEAM)]], found
    people = stack.sql("SELECT count(*) FROM bmd_escalation_recipient")
    assert people == [[str(ALERTS * TEAM)]], people
    count = stats(stack)
    assert count["escalation_rows_lost"] == count["recipients_lost_memory"] == 0, count


def the_urgent_ones_began_first(stack):
    wrong = stack.sql("SELECT count(*) FROM bmd_escalation e JOIN bmd_alert a USING (alert_id) WHERE e.number = 2 AND "
                      "a.priority = 'medium' AND e.begun_at < (SELECT max(begun_at) FROM bmd_escalation f JOIN bmd_alert b "
                      "USING (alert_id) WHERE f.number = 2 AND b.priority = 'high')")
    assert wrong == [["0"]], f"{wrong[0][0]} medium ones before the last high one"


def they_are_made_known_while_others_wait(stack):
    wait_until(lambda: stack.sql("SELECT count(*) FROM bmd_alert_event WHERE event = 'escalated'") == [[str(ALERTS)]],
               10, "the stored events")
    between = stack.sql("SELECT (SELECT min(at) FROM bmd_alert_event WHERE event = 'escalated') < "
                        "(SELECT max(begun_at) FROM bmd_escalation WHERE number = 2)")
    assert between == [["t"]], between


run("escalation-many", [a_team_and_devices_exist, the_server_is_killed_before_their_second_step,
                        every_step_is_stored_with_all_its_people, the_urgent_ones_began_first,
                        they_are_made_known_while_others_wait], errors_expected=True)
