"""Shared memory runs out; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import http.client
import itertools
import json
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, alerts, every_condition_that_comes_back_is_a_new_alert, hand, stats, stored
from stack import run, wait_until

MIB = 1 << 20
RESERVE = 8 * MIB
TABLE = "hourly"  # of limits.cfg: nothing in it ends within this case
names = itertools.count()


def left(stack):
    return stats(stack)["shared_left"]


def use_up(stack, size=30000, most=None):
    """Fills the table until at most so many bytes are left, or until there is no room for so long a text."""
    while most is None or left(stack) > most:
        try:
            stack.kamcmd("htable.sets", TABLE, f"full{next(names)}", "x" * size)
        except AssertionError:
            return


class Collector:
    """Keeps its connection, as collectors do."""

    def __init__(self, stack):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(stack.info["http"]).netloc, timeout=10)
        self.path = urllib.parse.urlsplit(stack.info["http"]).path

    def hand(self, text):
        self.connection.request("POST", self.path, json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "bmd.report", "params": [text]}), {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        assert "result" in answer, answer


def a_new_subscription_leaves_the_reserve_alone(stack):
    stack.first = Watcher(stack, "tech1")
    assert left(stack) > RESERVE
    use_up(stack, most=RESERVE)
    agent = stack.agent("tech2")
    _, reply = agent.subscribe()
    assert reply.status == 503 and int(reply.get("retry-after").split()[0]) > 0, (reply.first, reply.headers)
    assert stats(stack)["subscriptions_memory_low"] == 1 and stats(stack)["subscriptions"] == 1
    assert "shared memory is nearly used up" in stack.log(), "not said in the log"


def who_has_subscribed_is_told_and_may_stay(stack):
    _, again = stack.first.agent.subscribe(dialog=stack.first.dialog)
    assert again.status == 200, again.first
    hand(stack, "OX-1001 SpO2=70")
    stack.first.wait(lambda: stack.first.about("OX-1001"), "the alert")
    hand(stack, "OX-1001 SpO2=97")
    stack.first.wait(lambda: not stack.first.open, "its end")


def without_any_memory_readings_are_judged_and_stored(stack):
    collector = Collector(stack)
    collector.hand("OX-1001 SpO2=97")
    for size in (30000, 3000, 300, 30):
        use_up(stack, size)
    assert left(stack) < 1000, left(stack)
    failed = stats(stack)["notify_failed"]
    collector.hand("OX-1001 SpO2=71")
    assert [alert["metric"] for alert in alerts(stack, "OX-1001")] == ["SpO2"]
    wait_until(lambda: stored(stack, "OX-1001")[-1][2] == "71", 10, "the reading in the database")
    wait_until(lambda: stats(stack)["notify_failed"] > failed, 10, "the NOTIFY that cannot be sent to be counted")


def with_memory_again_everybody_gets_the_whole_state(stack):
    stack.kamcmd("htable.flush", TABLE)
    assert left(stack) > RESERVE
    stack.first.version = None  # what could not be sent has a number, too
    stack.first.wait(lambda: stack.first.about("OX-1001"), "the alert that could not be told", 15)
    second = Watcher(stack, "tech2")
    second.wait(lambda: second.about("OX-1001"), "the alert")
    assert [d.state for d in stack.first.documents][-1] == "full"
    hand(stack, "OX-1001 SpO2=97")
    for watcher in (stack.first, second):
        watcher.wait(lambda w=watcher: not w.open, "its end")


run("no-memory", [every_condition_that_comes_back_is_a_new_alert, a_new_subscription_leaves_the_reserve_alone,
                  who_has_subscribed_is_told_and_may_stay, without_any_memory_readings_are_judged_and_stored,
                  with_memory_again_everybody_gets_the_whole_state],
    "--memory", "98", "--set", "DEVICES=100", "--set", "ALERTS=1024", "--set", "JOURNAL_MB=8", "--set", "NOTIFIERS=1",
    errors_expected=True)
