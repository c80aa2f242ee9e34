"""More alerts than the book has room for; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import every_condition_that_comes_back_is_a_new_alert, Watcher, add_device, alerts, device, hand, history, stats
from stack import run, wait_until


def two_alerts_fill_the_book(stack):
    for serial in ("FULL-1", "FULL-2", "LATE"):
        add_device(stack, serial, assign="tech3")
    stack.watcher = Watcher(stack, "tech3")
    hand(stack, "FULL-1 SpO2=80\nFULL-2 SpO2=80")
    assert len(alerts(stack)) == 2


def state(stack, serial, metric):
    return [m["state"] for m in device(stack, serial)[1:] if m["metric"] == metric]


def a_third_finds_no_room_and_is_shown_all_the_same(stack):
    hand(stack, "LATE SpO2=70 PulseRate=80")
    assert alerts(stack, "LATE") == [] and stats(stack)["alerts_lost_memory"] >= 1
    assert state(stack, "LATE", "SpO2") == ["low"], device(stack, "LATE")
    assert state(stack, "LATE", "PulseRate") == ["ok"], device(stack, "LATE")


def it_comes_with_the_next_reading_when_there_is_room(stack):
    hand(stack, "FULL-1 SpO2=97")
    hand(stack, "LATE SpO2=69")
    found = alerts(stack, "LATE")
    assert len(found) == 1 and found[0]["value"] == "69", found
    stack.watcher.wait(lambda: stack.watcher.about("LATE"), "the alert")


def an_invalid_value_and_an_alarm_of_the_device_wait_too(stack):
    hand(stack, "FULL-1 SpO2=? !LowBattery=on")
    assert alerts(stack, "FULL-1") == []
    hand(stack, "LATE SpO2=97")
    hand(stack, "FULL-1 SpO2=?")
    assert [a["condition"] for a in alerts(stack, "FULL-1")] == ["invalid"]
    hand(stack, "FULL-2 SpO2=97")
    hand(stack, "FULL-1 !LowBattery=on")
    assert sorted(a["condition"] for a in alerts(stack, "FULL-1")) == ["device", "invalid"]


def silence_without_room_comes_by_the_timer(stack):
    stack.sql("INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('quick', '500 ms')")
    add_device(stack, "QUIET", "quick", assign="tech3")
    hand(stack, "QUIET SpO2=97")
    lost = stats(stack)["alerts_lost_memory"]
    wait_until(lambda: stats(stack)["alerts_lost_memory"] > lost, 3, "a try without room")
    wait_until(lambda: device(stack, "QUIET")[0]["stale"] == "1", 3, "stale in bmd.device")
    assert alerts(stack, "QUIET") == []
    hand(stack, "FULL-1 SpO2=97")
    wait_until(lambda: alerts(stack, "QUIET"), 2, "the stale alert")
    stack.watcher.wait(lambda: stack.watcher.about("QUIET"), "the alert")
    hand(stack, "QUIET SpO2=97")
    assert device(stack, "QUIET")[0]["stale"] == "0"


def nothing_was_told_twice(stack):
    wait_until(lambda: history(stack, "LATE") == [["raised", "cleared"]], 3, "the history")
    wait_until(lambda: history(stack, "FULL-2") == [["raised", "cleared"]], 3, "the history")


run("full-book", [every_condition_that_comes_back_is_a_new_alert, two_alerts_fill_the_book, a_third_finds_no_room_and_is_shown_all_the_same,
                  it_comes_with_the_next_reading_when_there_is_room,
                  an_invalid_value_and_an_alarm_of_the_device_wait_too,
                  silence_without_room_comes_by_the_timer, nothing_was_told_twice],
    "--set", "ALERTS=2", errors_expected=True)
