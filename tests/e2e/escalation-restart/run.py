"""Kills the server while alerts are escalated; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, add_device, hand
from stack import run, wait_until

PACE = 0.7       # seconds between steps
BOUNDARIES = 5   # raised, step 2, step 3, two repetitions
ROUNDS = 3       # of each
chance = random.Random(os.environ.get("BMD_SEED", "4"))


def serial(number):
    return f"KILL-{number}"


def a_policy_and_terminals_exist(stack):
    stack.sql("BEGIN; INSERT INTO bmd_team (team_name) VALUES ('all');"
              "INSERT INTO bmd_team_member (team_name, username) VALUES ('all', 'tech2'), ('all', 'tech3');"
              f"INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('quick', '1 s');"
              f"INSERT INTO bmd_escalation_step (policy_id, position, after, whom, username, team_name) "
              f"SELECT policy_id, v.position, v.after::interval, whom, username, team_name FROM bmd_escalation_policy, "
              f"(VALUES (1, '0', 'responsible', NULL, NULL), (2, '{PACE} s', 'person', 'tech2', NULL), "
              f"(3, '{2 * PACE} s', 'team', NULL, 'all')) v (position, after, whom, username, team_name); COMMIT")
    for number in range(BOUNDARIES * ROUNDS):
        add_device(stack, serial(number), assign="tech1")
    stack.two, stack.three = Watcher(stack, "tech2"), Watcher(stack, "tech3")
    time.sleep(1.5)  # what is younger than a second may not survive
    stack.killed = {}


def begun(stack, name):
    """Numbers of the steps of the device's alert."""
    return [int(row[0]) for row in stack.sql(
        "SELECT e.number FROM bmd_escalation e JOIN bmd_alert USING (alert_id) "
        f"WHERE serial = '{name}' ORDER BY e.number")]


def told(stack, name):
    """Numbers of the steps that its history says were made known."""
    return [int(row[0].removeprefix("step ")) for row in stack.sql(
        "SELECT e.through FROM bmd_alert_event e JOIN bmd_alert USING (alert_id) "
        f"WHERE serial = '{name}' AND event = 'escalated' ORDER BY e.revision")]


def pump_until(stack, condition, what, timeout=10):
    until = time.time() + timeout
    while not condition():
        for watcher in (stack.two, stack.three):
            watcher.pump(0.01)
        assert time.time() < until, f"{what} did not come within {timeout} s"


def kill_around(stack, number, boundary):
    name = serial(number)
    hand(stack, f"{name} SpO2=80")
    raised = time.time()
    pump_until(stack, lambda: stack.sql(f"SELECT 1 FROM bmd_alert WHERE serial = '{name}'"), "the stored alert")
    due = PACE * min(boundary, 2) + max(boundary - 2, 0)
    at = raised + due + chance.uniform(-0.06, 0.15)
    while time.time() < at:
        stack.two.pump(0.002)
        stack.three.pump(0.002)
    stack.kill9()
    for watcher in (stack.two, stack.three):
        watcher.pump(0.05)  # what was on its way
        watcher.version = None  # it jumps with a restart
    before = begun(stack, name)
    stack.restart()
    pump_until(stack, lambda: len(begun(stack, name)) > max(len(before), 2), "the next step")
    # The terminals of both: whoever it has reached by now shows it.
    pump_until(stack, lambda: stack.two.about(name) and stack.three.about(name), f"{name} on both terminals")
    hand(stack, f"{name} SpO2=98")
    pump_until(stack, lambda: not stack.two.about(name) and not stack.three.about(name), f"the end of {name}")
    stack.killed[name] = before


def it_is_killed_around_every_boundary(stack):
    order = [(b, r) for b in range(BOUNDARIES) for r in range(ROUNDS)]
    chance.shuffle(order)
    for number, (boundary, _) in enumerate(order):
        kill_around(stack, number, boundary)


def no_step_is_lost_and_none_comes_twice(stack):
    time.sleep(0.5)
    for name in stack.killed:
        numbers = begun(stack, name)
        assert numbers == list(range(1, len(numbers) + 1)), f"{name}: {numbers}"
        known = told(stack, name)
        # the alert may have ended between the beginning of the last step and its telling
        assert known in (numbers[1:], numbers[1:-1]), f"{name}: begun {numbers}, told {known}"


def a_clock_that_was_set_back_over_the_restart_postpones_no_step(stack):
    name = serial(BOUNDARIES * ROUNDS)
    add_device(stack, name, assign="tech1")
    hand(stack, f"{name} SpO2=80")
    pump_until(stack, lambda: 2 in begun(stack, name), "the second step")
    stack.kill9()
    for watcher in (stack.two, stack.three):
        watcher.pump(0.05)
        watcher.version = None
    # as it looks to a clock that is an hour behind
    stack.sql("UPDATE bmd_alert SET raised_at = raised_at + interval '1 hour' WHERE closed_at IS NULL;"
              "UPDATE bmd_escalation SET base_at = base_at + interval '1 hour'")
    before = begun(stack, name)
    stack.restart()
    pump_until(stack, lambda: len(begun(stack, name)) > len(before), "the next step", 5)
    hand(stack, f"{name} SpO2=98")
    pump_until(stack, lambda: not stack.two.about(name) and not stack.three.about(name), f"the end of {name}")


def no_alert_was_raised_twice(stack):
    twice = stack.sql("SELECT serial, count(*) FROM bmd_alert WHERE serial LIKE 'KILL-%' GROUP BY 1 HAVING count(*) > 1")
    assert twice == [], twice


run("escalation-restart", [a_policy_and_terminals_exist, it_is_killed_around_every_boundary,
                           no_step_is_lost_and_none_comes_twice,
                           a_clock_that_was_set_back_over_the_restart_postpones_no_step, no_alert_was_raised_twice], errors_expected=True)
