"""Kills the server while alerts are escalated; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import contextlib
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, add_device, hand, stats
from stack import run, wait_until

PACE = 0.7       # seconds between steps
BOUNDARIES = 5   # raised, step 2, step 3, two repetitions
# of each boundary three kills: some time before a step begins, about then, and some time after it; s
OFFSETS = ((-0.2, -0.05), (-0.05, 0.05), (0.05, 0.2))
ROUNDS = len(OFFSETS)
chance = random.Random(os.environ.get("BMD_SEED", "4"))


def serial(number):
    return f"KILL-{number}"


def a_policy_and_terminals_exist(stack):
    """tech2 and tech3 have subscriptions, tech1 (the first step) and tech4 (the third and repetitions) phones."""
    stack.sql("INSERT INTO bmd_technician (username) VALUES ('tech4');"
              f"SELECT bmd_set_password('tech4', '{stack.info['domain']}', 'the secret of tech4')")
    stack.sql("BEGIN; INSERT INTO bmd_team (team_name) VALUES ('all');"
              "INSERT INTO bmd_team_member (team_name, username) VALUES ('all', 'tech2'), ('all', 'tech3'), ('all', 'tech4');"
              f"INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('quick', '1 s');"
              f"INSERT INTO bmd_escalation_step (policy_id, position, after, whom, username, team_name) "
              f"SELECT policy_id, v.position, v.after::interval, whom, username, team_name FROM bmd_escalation_policy, "
              f"(VALUES (1, '0', 'responsible', NULL, NULL), (2, '{PACE} s', 'person', 'tech2', NULL), "
              f"(3, '{2 * PACE} s', 'team', NULL, 'all')) v (position, after, whom, username, team_name); COMMIT")
    for number in range(BOUNDARIES * ROUNDS):
        add_device(stack, serial(number), assign="tech1")
    stack.two, stack.three = Watcher(stack, "tech2"), Watcher(stack, "tech3")
    stack.phones = {"tech1": stack.agent("tech1"), "tech4": stack.agent("tech4", "the secret of tech4")}
    for phone in stack.phones.values():
        reply = phone.register()
        assert reply.status == 200, reply.first
    wait_until(lambda: stack.sql("SELECT count(*) FROM location") == [["2"]], 5, "the stored registrations")
    time.sleep(1.5)  # what is younger than a second may not survive
    stack.killed, stack.fell = {}, []


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


def texts(stack, user, name):
    """How many texts of the open alert of a device have come to a phone."""
    phone = stack.phones[user]
    while phone.pump(0):
        pass
    bodies = [m.body.decode().split("\n") for m in phone.received if m.is_request and m.method == "MESSAGE"]
    return sum(lines[0].startswith("HIGH SpO2 ") and lines[1] == name for lines in bodies)


def taken(stack, user, name):
    """How many of them the database knows to have been taken."""
    return int(stack.sql("SELECT count(*) FROM bmd_delivery d JOIN bmd_alert USING (alert_id) WHERE "
                         f"serial = '{name}' AND username = '{user}' AND way = 'message' AND d.code = 200")[0][0])


def pump_until(stack, condition, what, timeout=10):
    until = time.time() + timeout
    while not condition():
        for watcher in (stack.two, stack.three):
            watcher.pump(0.01)
        assert time.time() < until, f"{what} did not come within {timeout} s"


def kill_at(stack, moment):
    processes = stack.processes()
    while time.time() < moment:
        stack.two.pump(0.002)
        stack.three.pump(0.002)
    for process in processes:  # now: bmd-stack, which makes sure that none is left, takes a while
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    stack.kill9()
    for watcher in (stack.two, stack.three):
        watcher.pump(0.05)  # what was on its way
        watcher.version = None  # it jumps with a restart


def kill_around(stack, number, boundary, offset):
    name = serial(number)
    hand(stack, f"{name} SpO2=80")
    raised = time.time()
    pump_until(stack, lambda: stack.sql(f"SELECT 1 FROM bmd_alert WHERE serial = '{name}'"), "the stored alert")
    due = PACE * min(boundary, 2) + max(boundary - 2, 0)
    kill_at(stack, raised + due + chance.uniform(*offset))
    before = begun(stack, name)
    stack.fell.append("after" if len(before) > boundary else "before")
    stack.killed[name] = before, {user: taken(stack, user, name) for user in stack.phones}
    stack.restart()
    pump_until(stack, lambda: len(begun(stack, name)) > max(len(before), 2), "the next step")
    # The terminals of both: whoever it has reached by now shows it.
    pump_until(stack, lambda: stack.two.about(name) and stack.three.about(name), f"{name} on both terminals")
    for user in stack.phones:
        pump_until(stack, lambda u=user: texts(stack, u, name), f"a text of {name} at {user}")
    hand(stack, f"{name} SpO2=98")
    pump_until(stack, lambda: not stack.two.about(name) and not stack.three.about(name), f"the end of {name}")


def it_is_killed_around_every_boundary(stack):
    order = [(b, offset) for b in range(BOUNDARIES) for offset in OFFSETS]
    chance.shuffle(order)
    for number, (boundary, offset) in enumerate(order):
        kill_around(stack, number, boundary, offset)
    fell = {moment: stack.fell.count(moment) for moment in ("before", "after")}
    print(f"# escalation-restart: {fell['before']} kills fell before the step began, {fell['after']} after", flush=True)
    assert min(fell.values()) >= ROUNDS, fell


def no_step_is_lost_and_none_comes_twice(stack):
    wait_until(lambda: not any(stats(stack)[level] for level in ("journal_escalations", "journal_alert_events", "alerts_unwritten")), 5,
               "all of it in the database")
    for name in stack.killed:
        numbers = begun(stack, name)
        assert numbers == list(range(1, len(numbers) + 1)), f"{name}: {numbers}"
        known = told(stack, name)
        # the alert may have ended between the beginning of the last step and its telling
        assert known in (numbers[1:], numbers[1:-1]), f"{name}: begun {numbers}, told {known}"


def a_phone_without_subscription_gets_the_text_of_each_step_once(stack):
    """Twice only what was on its way when the server was killed: nobody knew yet that it had been taken."""
    for name, (before, known) in stack.killed.items():
        first = texts(stack, "tech1", name)
        assert 1 <= first <= (1 if known["tech1"] else 2), f"{name}: {first} texts of the first step, {known} {before}"
        asked = sum(number >= 3 for number in begun(stack, name))
        unknown = max(0, sum(number >= 3 for number in before) - known["tech4"])
        later = texts(stack, "tech4", name)
        # it may have ended, or been killed, between the beginning of a step and its text
        assert max(1, asked - 2) <= later <= asked + unknown, f"{name}: {later} texts of {asked} steps, {known} {before}"
    assert any(known["tech1"] for _, known in stack.killed.values()), "no kill fell after the text was known to be taken"


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
                           a_phone_without_subscription_gets_the_text_of_each_step_once,
                           a_clock_that_was_set_back_over_the_restart_postpones_no_step, no_alert_was_raised_twice], errors_expected=True)
