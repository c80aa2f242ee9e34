"""A database that is frozen, or gone; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from postgres import Frozen, cluster
from scene import Watcher, hand, stats
from stack import run, wait_until

GROUP = "grp.oximetry"
FROZEN = float(os.environ.get("BMD_FROZEN", "20"))
ANSWER, ALERT = 1.0, 0.5  # s
REFRESHED = 1800


class Life:
    """What terminals do meanwhile, and how long they waited for it."""

    def __init__(self, stack):
        self.stack, self.live, self.ended = stack, [], []
        self.registered, self.unregistered = [], []
        self.answers, self.alerts = {}, []
        self.value = 98

    def timed(self, what, action):
        begun = time.time()
        result = action()
        self.answers[what] = max(self.answers.get(what, 0), time.time() - begun)
        return result

    def subscribe(self):
        self.live.append(self.timed("SUBSCRIBE", lambda: Watcher(self.stack, "tech2", GROUP)))

    def again(self, watcher, what, expires):
        _, reply = self.timed(what, lambda: watcher.agent.subscribe(dialog=watcher.dialog, expires=expires))
        assert reply.status == 200, f"{what}: {reply.first}"

    def refresh(self, watcher):
        self.again(watcher, "refresh", REFRESHED)
        watcher.refreshed = time.time()

    def end(self):
        watcher = self.live.pop(1)
        self.again(watcher, "un-SUBSCRIBE", 0)
        self.ended.append(watcher)

    def register(self, expires=3600):
        agent = self.stack.agent("tech1") if expires else self.registered.pop(0)
        reply = self.timed("REGISTER", lambda: agent.register(expires))
        assert reply.status == 200, reply.first
        (self.registered if expires else self.unregistered).append(agent)

    def stranger(self):
        agent = self.stack.agent("tech2", "not the password")
        _, reply = self.timed("wrong password", agent.subscribe)
        assert reply.status == 401, reply.first

    def alert(self):
        self.value = 70 if self.value == 98 else 98
        begun = time.time()
        hand(self.stack, f"OX-1001 SpO2={self.value}")
        for watcher in self.live:
            watcher.wait(lambda: bool(watcher.open) == (self.value == 70), "the change", 20)
        self.alerts.append(max(w.documents[-1].at for w in self.live) - begun)

    def round(self, number):
        self.alert()
        self.subscribe()
        self.refresh(self.live[number % len(self.live)])
        if len(self.live) > 6:
            self.end()
        self.register()
        if len(self.registered) > 4:  # several of one person; the registrar has room for ten
            self.register(0)
        self.stranger()
        for watcher in self.live:
            watcher.pump()

    def go_on(self, seconds, what):
        self.answers, self.alerts = {}, []
        until, number = time.time() + seconds, 0
        while time.time() < until:
            self.round(number)
            number += 1
            time.sleep(0.2)
        slowest = ", ".join(f"{kind} {most * 1000:.0f} ms" for kind, most in sorted(self.answers.items()))
        print(f"# frozen-database: {what} {seconds:.0f} s, {number} rounds: latest alert "
              f"{max(self.alerts) * 1000:.0f} ms; slowest {slowest}")
        # what waited for the database would be late in every round; one may be a program that was not scheduled
        assert sorted(self.alerts)[-2] <= ALERT and max(self.alerts) <= ANSWER, f"the latest alerts came after {sorted(self.alerts)[-2:]} s"
        late = {kind: most for kind, most in self.answers.items() if most > ANSWER}
        assert not late, f"answered late: {late}"

    def rows_are_right(self):
        rows = self.stack.sql("SELECT callid, expires - extract(epoch FROM now())::int FROM active_watchers")
        left = {row[0]: int(row[1]) for row in rows}
        assert set(left) == {w.dialog.call_id for w in self.live}, (
            f"{len(left)} rows of subscriptions, {len(self.live)} terminals")
        for watcher in self.live:
            if hasattr(watcher, "refreshed"):
                due = watcher.refreshed + REFRESHED - time.time()
                assert abs(left[watcher.dialog.call_id] - due) < 3, f"{left}, not {due}"
        contacts = [row[0] for row in self.stack.sql("SELECT contact FROM location ORDER BY 1")]
        assert contacts == sorted(a.contact for a in self.registered), contacts


def settled(stack):
    """The database has everything, and it is what the terminals believe."""
    begun = time.time()

    def right():
        try:
            stack.life.rows_are_right()
        except AssertionError as error:
            stack.wrong = error
            return False
        return stats(stack)["rows_waiting"] == 0
    try:
        wait_until(right, 20, "the rows")
    except AssertionError as error:
        raise AssertionError(f"{error}: {stack.wrong}") from error
    print(f"# frozen-database: all rows right {time.time() - begun:.1f} s after it was back")


def terminals_are_subscribed_and_registered(stack):
    stack.life = Life(stack)
    for _ in range(4):
        stack.life.subscribe()
        stack.life.register()
    settled(stack)


def only_the_processes_of_bmd_speak_to_the_database(stack):
    stack.life.go_on(6, "awake")
    ours = dict(stack.info)
    stack.info["db"] = ours["db"].replace("user=bmd", "user=kamailio")  # sees its own connections
    try:
        rows = stack.sql("SELECT application_name, query_start > now() - interval '4 s' "
                         "FROM pg_stat_activity WHERE usename = 'kamailio' AND pid <> pg_backend_pid()")
    finally:
        stack.info = ours
    speaking = {name for name, late in rows if late == "t"}
    assert "bmd rows" in speaking and len(rows) > 8, rows
    strangers = {name for name in speaking if not name.startswith("bmd ")}
    assert not strangers, f"{strangers} of {rows}"


def nobody_waits_for_a_frozen_database(stack):
    with Frozen(stack):
        stack.life.go_on(FROZEN, "frozen")
        waiting = stats(stack)["rows_waiting"]
        assert 0 < waiting < 4 * len(stack.life.live + stack.life.ended + stack.life.registered), waiting


def all_rows_are_written_when_it_goes_on(stack):
    settled(stack)


def after_kill_9_all_are_told(stack):
    stack.kill9()
    for watcher in stack.life.live:
        watcher.pump(0.1)
        watcher.version = None  # moved on by a large step
        watcher.before = len(watcher.documents)
    stack.restart()
    for watcher in stack.life.live:
        watcher.wait(lambda: any(d.state == "full" for d in watcher.documents[watcher.before:]),
                     "full state")
    for watcher in stack.life.ended:
        watcher.agent.pump(0)
        watcher.agent.received.clear()
    stack.life.alert()
    for watcher in stack.life.ended:
        watcher.agent.no_notify(watcher.dialog, 0.1)
    assert stats(stack)["subscriptions"] == len(stack.life.live)


def nobody_waits_for_a_database_that_is_gone(stack):
    cluster(stack, "kill")
    stack.life.go_on(5, "gone")


def all_rows_are_written_when_it_is_started_again(stack):
    cluster(stack, "start")
    settled(stack)


def a_stop_in_order_writes_what_waits(stack):
    for _ in range(3):
        stack.life.subscribe()
    stack.restart()
    for watcher in stack.life.live:
        watcher.version = None
    stack.life.rows_are_right()
    stack.life.alert()


def a_changed_password_is_in_force_within_a_second(stack):
    new = "another long secret"
    old = stack.agent("tech3").password
    assert stack.agent("tech3").subscribe()[1].status == 200
    stack.sql(f"SELECT bmd_set_password('tech3', '{stack.info['domain']}', '{new}')")
    wait_until(lambda: stack.agent("tech3", new).subscribe()[1].status == 200, 1, "the new password")
    assert stack.agent("tech3", old).subscribe()[1].status == 401
    stack.sql("UPDATE bmd_technician SET enabled = false WHERE username = 'tech3'")
    wait_until(lambda: stack.agent("tech3", new).subscribe()[1].status == 401, 1, "the revocation")


run("frozen-database", [terminals_are_subscribed_and_registered,
                        only_the_processes_of_bmd_speak_to_the_database,
                        nobody_waits_for_a_frozen_database,
                        all_rows_are_written_when_it_goes_on, after_kill_9_all_are_told,
                        nobody_waits_for_a_database_that_is_gone,
                        all_rows_are_written_when_it_is_started_again, a_stop_in_order_writes_what_waits,
                        a_changed_password_is_in_force_within_a_second], errors_expected=True)
