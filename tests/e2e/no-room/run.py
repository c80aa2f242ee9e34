"""Tables that run full; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, alerts, device, every_condition_that_comes_back_is_a_new_alert, hand, provisioned, stats, stored
from stack import run, wait_until

GROUP = "grp.oximetry"


def said(stack, words):
    return [line for line in stack.log().splitlines() if words in line]


def one_more_subscription_is_answered_503_and_the_others_are_told(stack):
    stack.first, stack.second = Watcher(stack, "tech1", GROUP), Watcher(stack, "tech2", GROUP)
    agent = stack.agent("tech2")
    _, reply = agent.subscribe()
    assert reply.status == 503 and int(reply.get("retry-after").split()[0]) > 0, (reply.first, reply.headers)
    assert stats(stack)["subscriptions_lost_memory"] == 1 and stats(stack)["subscriptions"] == 2
    _, again = stack.first.agent.subscribe(dialog=stack.first.dialog)  # a refresh needs no room
    assert again.status == 200, again.first
    hand(stack, "OX-1001 SpO2=70")
    for watcher in (stack.first, stack.second):
        watcher.wait(lambda w=watcher: w.about("OX-1001"), "the alert")


def when_one_ends_another_finds_room(stack):
    stack.second.agent.subscribe(dialog=stack.second.dialog, expires=0)
    wait_until(lambda: stats(stack)["subscriptions"] == 1, 5, "its place to be free")
    stack.second = Watcher(stack, "tech2")
    assert stack.second.about("OX-1001"), "the full state"


def one_more_metric_is_stored_and_not_judged(stack):
    hand(stack, "OX-1001 PulseRate=70 SpO2Ext=70")
    assert stats(stack)["metrics_lost_memory"] == 0
    hand(stack, "OX-1001 SpO2=69 PulseRateExt=71")
    hand(stack, "VENT-840-1 RespRate=60")
    assert stats(stack)["metrics_lost_memory"] >= 2, stats(stack)["metrics_lost_memory"]
    assert said(stack, 'no room for one more metric') and said(stack, 'parameter "metrics"'), "not said in the log"
    wait_until(lambda: ("RespRate", "value", "60") in stored(stack, "VENT-840-1"), 5, "the reading in the database")
    assert alerts(stack, "VENT-840-1") == []


def what_has_room_is_judged_as_ever(stack):
    hand(stack, "OX-1001 SpO2=98")
    stack.first.wait(lambda: not stack.first.open, "the end of the alert")
    hand(stack, "OX-1001 PulseRate=130")
    for watcher in (stack.first, stack.second):
        watcher.wait(lambda w=watcher: w.about("OX-1001", "PulseRate"), "an alert")
    hand(stack, "OX-1001 PulseRate=70")


def one_more_device_is_not_in_force_and_the_others_are(stack):
    stack.sql("INSERT INTO bmd_device (serial, type_name) SELECT 'MORE-' || n, 'Nonin oximeter' "
              "FROM generate_series(1, 3) n")
    provisioned(stack)
    assert stats(stack)["rows_lost_memory"] >= 1
    assert [line for line in said(stack, "provisioning: no room for") if "size parameters" in line], "not said in the log"
    known = [serial for serial in ("OX-1001", "VENT-840-1", "MORE-1", "MORE-2", "MORE-3") if device(stack, serial)]
    assert known[:2] == ["OX-1001", "VENT-840-1"] and len(known) == 4, known


run("no-room", [every_condition_that_comes_back_is_a_new_alert,
                one_more_subscription_is_answered_503_and_the_others_are_told, when_one_ends_another_finds_room,
                one_more_metric_is_stored_and_not_judged, what_has_room_is_judged_as_ever,
                one_more_device_is_not_in_force_and_the_others_are],
    "--set", "DEVICES=4", "--set", "METRICS=3", "--set", "SUBSCRIPTIONS=2", errors_expected=True)
