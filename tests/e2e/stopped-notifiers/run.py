"""Notifiers that stand still; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, alerts, every_condition_that_comes_back_is_a_new_alert, hand, now_us, provisioned, stats
from stack import run, wait_until

DEVICES = [f"SN-{n:02d}" for n in range(20)]
GROUP = "grp.stopped"
RING = 8192          # changes that wait for a notifier, of each kind: store_limits.hpp
CHANGES = 9000
AT_ONCE = 0.25       # s: an answer to one reading
NOTIFIERS = 2        # of bmd-stack


class Stopped:
    """with Stopped(stack): no notifier runs."""

    def __init__(self, stack):
        lines = stack.kamcmd("core.ps").splitlines()
        self.pids = [int(pid) for pid, name in zip(lines, lines[1:]) if name.strip().startswith("BMD notifier")]
        assert len(self.pids) == NOTIFIERS, lines

    def _state(self, pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    def __enter__(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: all(self._state(pid) == "T" for pid in self.pids), 2, "the stop")
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)


def timed(stack, text):
    """Seconds that readings by hand took."""
    begun = time.monotonic()
    hand(stack, text)
    return time.monotonic() - begun


def everywhere(value, metric="PulseRate", serials=tuple(DEVICES)):
    return "\n".join(f"{serial} {metric}={value}" for serial in serials)


def usual(stack):
    """No alert is open, and no terminal is to be told anything."""
    hand(stack, everywhere(97, "SpO2") + "\n" + everywhere(70))
    stack.screen.wait(lambda: not stack.screen.open and not stack.other.pump() and not stack.other.open,
                      "the end of all alerts")
    stack.screen.quiet(0.3)


def terminals_watch_twenty_devices(stack):
    values = ", ".join(f"('{serial}', 'Nonin oximeter')" for serial in DEVICES)
    members = ", ".join(f"('stopped', '{serial}')" for serial in DEVICES)
    stack.sql("UPDATE bmd_device_type SET stale_after = '1 day'; "
              f"INSERT INTO bmd_device (serial, type_name) VALUES {values};"
              "INSERT INTO bmd_group (group_name) VALUES ('stopped');"
              f"INSERT INTO bmd_group_device (group_name, serial) VALUES {members};"
              "INSERT INTO bmd_assignment (username, group_name) VALUES ('tech1', 'stopped'), ('tech3', 'stopped')")
    provisioned(stack)
    stack.screen, stack.other = Watcher(stack, "tech3"), Watcher(stack, "tech1", GROUP)
    usual(stack)


def several_changes_of_a_feed_come_as_one_notify_with_the_last_state_of_each(stack):
    before = len(stack.screen.documents), len(stack.other.documents)
    with Stopped(stack):
        for value in (130, 70, 131):  # raised, over, raised again as another alert
            hand(stack, everywhere(value))
        stack.screen.pump(0.2)
        assert len(stack.screen.documents) == before[0], "somebody else sends NOTIFYs"
    for watcher, count in zip((stack.screen, stack.other), before):
        watcher.wait(lambda w=watcher: len(w.open) == len(DEVICES), "all alerts")
        watcher.quiet(0.3)
        come = watcher.documents[count:]
        assert [d.state for d in come] == ["partial"], [(d.state, len(d.alerts)) for d in come]
        states = sorted((a["serial"], a["state"]) for a in come[0].alerts)
        assert states == sorted((s, state) for s in DEVICES for state in ("active", "cleared")), states
    usual(stack)


def high_priority_comes_first_however_much_waits(stack):
    for watcher in (stack.screen, stack.other):
        watcher.before = len(watcher.documents)
    with Stopped(stack):
        for value in (130, 70, 130, 70, 130):  # 60 alerts of medium priority: two documents
            hand(stack, everywhere(value))
        hand(stack, f"{DEVICES[-1]} SpO2=70")
    for watcher in (stack.screen, stack.other):
        watcher.wait(lambda w=watcher: len(w.open) == len(DEVICES) + 1, "all alerts")
        first, *rest = watcher.documents[watcher.before:]
        assert [a["priority"] for a in first.alerts] == ["high"], [a["priority"] for a in first.alerts]
        assert rest and all(a["priority"] == "medium" for d in rest for a in d.alerts)
    usual(stack)


def a_change_is_written_once_for_all_its_watchers(stack):
    more = [Watcher(stack, user, feed) for _ in range(8) for user, feed in (("tech3", GROUP), ("tech1", None))]
    before = stats(stack)
    hand(stack, f"{DEVICES[0]} SpO2=70")
    for watcher in (stack.screen, stack.other, *more):
        watcher.wait(lambda w=watcher: w.about(DEVICES[0]), "the alert")
    after = stats(stack)
    written, reused = (after[name] - before[name] for name in ("notify_documents", "notify_documents_reused"))
    assert 1 <= written <= NOTIFIERS, f"{written} documents written for {len(more) + 2} terminals"
    assert written + reused == len(more) + 2, f"{written} written, {reused} used again for {len(more) + 2} terminals"
    for watcher in more:
        watcher.agent.subscribe(dialog=watcher.dialog, expires=0)
    usual(stack)


def intake_answers_at_once_when_the_rings_run_over(stack):
    stack.dropped = stats(stack)["changes_dropped"]
    with Stopped(stack):
        for metric, bad, good in (("PulseRate", 130, 70), ("SpO2", 70, 97)):  # both rings
            for _ in range(CHANGES // 3000):
                base = now_us()
                hand(stack, "\n".join(f"{DEVICES[0]} {base + n} {metric}={good if n % 2 else bad}" for n in range(3000)))
        dropped = stats(stack)["changes_dropped"] - stack.dropped
        assert dropped >= 2 * NOTIFIERS * (CHANGES - RING), f"{dropped} changes found a full ring"
        took = [timed(stack, f"{DEVICES[1 + n % 9]} SpO2={70 if n < 9 else 97}") for n in range(18)]
        took += [timed(stack, everywhere(value, serials=DEVICES[10:])) for value in (130, 70, 130)]
        print(f"# stopped-notifiers: with full rings the slowest answer took {max(took) * 1000:.0f} ms")
        # a ring that blocks would hold up each of them; two may be a program that was not scheduled
        assert sorted(took)[-3] < AT_ONCE and max(took) < 1, sorted(took)[-3:]
        late = Watcher(stack, "tech3")
        assert len(late.open) == len(alerts(stack)) == 10, (len(late.open), len(alerts(stack)))
        late.agent.subscribe(dialog=late.dialog, expires=0)
        for watcher in (stack.screen, stack.other):
            watcher.before = len(watcher.documents)


def after_that_every_terminal_gets_its_full_state_and_agrees_with_the_book(stack):
    for watcher in (stack.screen, stack.other):
        watcher.wait(lambda w=watcher: any(d.state == "full" for d in w.documents[w.before:]), "full state", 10)
        watcher.agrees_with(stack, DEVICES)
    hand(stack, f"{DEVICES[0]} SpO2=71")
    stack.screen.wait(lambda: stack.screen.about(DEVICES[0]), "a new alert")
    usual(stack)
    for watcher in (stack.screen, stack.other):
        assert watcher.open == {}, watcher.open


run("stopped-notifiers", [every_condition_that_comes_back_is_a_new_alert, terminals_watch_twenty_devices,
                          several_changes_of_a_feed_come_as_one_notify_with_the_last_state_of_each,
                          high_priority_comes_first_however_much_waits, a_change_is_written_once_for_all_its_watchers,
                          intake_answers_at_once_when_the_rings_run_over,
                          after_that_every_terminal_gets_its_full_state_and_agrees_with_the_book],
    errors_expected=True)
