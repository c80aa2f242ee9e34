"""Rules, patients and restarts change under open alerts; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, add_device, alerts, device, hand, history, now_us
from stack import run, wait_until


def limit(stack, serial, assignment):
    stack.sql(f"UPDATE bmd_device_limit SET {assignment} WHERE serial = '{serial}'")


def an_open_alert_takes_the_new_limit_and_priority(stack):
    add_device(stack, "RULE", assign="tech3", SpO2={"low": 96, "priority": "medium"})
    stack.watcher = Watcher(stack, "tech3")
    hand(stack, "RULE SpO2=95")
    first = alerts(stack, "RULE")[0]
    assert (first["limit"], first["priority"]) == ("96", "medium"), first
    hand(stack, "RULE SpO2=94")
    limit(stack, "RULE", "low = 97, priority = 'high'")
    wait_until(lambda: alerts(stack, "RULE")[0]["limit"] == "97", 3, "the new limit")
    now = alerts(stack, "RULE")[0]
    assert (now["id"], now["priority"], now["value"]) == (first["id"], "high", "94"), now
    stack.watcher.wait(lambda: any(a["priority"] == "high" for a in stack.watcher.about("RULE")), "the change")
    wait_until(lambda: history(stack, "RULE") == [["raised", "updated"]], 3, "its history")
    hand(stack, "RULE SpO2=93")
    wait_until(lambda: history(stack, "RULE") == [["raised", "updated"]], 3, "no further change")


def a_reopened_alert_takes_them_too(stack):
    add_device(stack, "AGAIN", SpO2={"low": 90, "latching": "true", "priority": "high"})
    hand(stack, "AGAIN SpO2=80")
    hand(stack, "AGAIN SpO2=97")
    limit(stack, "AGAIN", "low = 85, priority = 'low'")
    time.sleep(1)  # nothing shows a limit of a latched alert
    hand(stack, "AGAIN SpO2=81")
    found = alerts(stack, "AGAIN")
    assert [(a["limit"], a["priority"], a["value"]) for a in found] == [("85", "low", "81")], found


def changing_sides_reopens_what_is_latched(stack):
    add_device(stack, "SIDES", PulseRate={"low": 50, "high": 120, "latching": "true"})
    for _ in range(10):
        hand(stack, "SIDES PulseRate=40")
        hand(stack, "SIDES PulseRate=130")
    found = sorted((a["condition"], a["state"]) for a in alerts(stack, "SIDES"))
    assert found == [("high", "active"), ("low", "latched")], found


def a_stale_alert_after_an_enabling_is_another_one(stack):
    stack.sql("INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('quick', '500 ms')")
    add_device(stack, "STILL", "quick", assign="tech3")
    hand(stack, "STILL SpO2=97")
    wait_until(lambda: alerts(stack, "STILL"), 3, "the stale alert")
    first = alerts(stack, "STILL")[0]
    stack.sql("UPDATE bmd_device SET enabled = false WHERE serial = 'STILL'")
    wait_until(lambda: not alerts(stack, "STILL"), 3, "its end")
    stack.sql("UPDATE bmd_device SET enabled = true WHERE serial = 'STILL'")
    wait_until(lambda: alerts(stack, "STILL"), 3, "the next stale alert")
    second = alerts(stack, "STILL")[0]
    assert second["id"] != first["id"] and second["onset_at"] > first["onset_at"], second
    stack.watcher.wait(lambda: stack.watcher.about("STILL"), "the next one")
    wait_until(lambda: history(stack, "STILL") == [["raised", "disabled"], ["raised"]], 3, "both histories")


def an_enabled_device_brings_nothing_of_before(stack):
    add_device(stack, "BACK", PulseRate={"high": 100, "delay": "5 s"})
    hand(stack, f"BACK {now_us()} SpO2=80 PulseRate=130")
    stack.sql("UPDATE bmd_device SET enabled = false WHERE serial = 'BACK'")
    wait_until(lambda: not alerts(stack, "BACK"), 3, "the end of the alert")
    stack.sql("UPDATE bmd_device SET enabled = true WHERE serial = 'BACK'")
    wait_until(lambda: device(stack, "BACK")[0]["enabled"] == "1", 3, "the device to be enabled")
    stack.sql("UPDATE bmd_device SET location = 'hall' WHERE serial = 'BACK'")  # judged again
    wait_until(lambda: device(stack, "BACK")[0]["location"] == "hall", 3, "the location")
    assert alerts(stack, "BACK") == [] and len(device(stack, "BACK")) == 1, device(stack, "BACK")
    hand(stack, f"BACK {now_us(6)} PulseRate=130")  # the delay begins anew
    assert alerts(stack, "BACK") == []


def another_patient_has_no_part_in_what_was(stack):
    ids = [stack.sql(f"INSERT INTO bmd_patient (name) VALUES ('{name}') RETURNING patient_id")[0][0]
           for name in ("First Example", "Second Example")]
    add_device(stack, "LENT", patient=ids[0])
    hand(stack, "LENT SpO2=80")
    assert alerts(stack, "LENT")[0]["patient"] == "First Example"
    stack.sql(f"UPDATE bmd_device SET patient_id = {ids[1]} WHERE serial = 'LENT'")
    wait_until(lambda: device(stack, "LENT")[0]["patient"] == "Second Example", 3, "the patient")
    assert alerts(stack, "LENT") == [], alerts(stack, "LENT")
    wait_until(lambda: history(stack, "LENT") == [["raised", "reassigned"]], 3, "its history")
    hand(stack, "LENT SpO2=80")
    assert alerts(stack, "LENT")[0]["patient"] == "Second Example"


def waiting(stack, serial):
    return [row[0] for row in stack.sql("SELECT m.name FROM bmd_waiting JOIN bmd_device d USING (device_id) "
                                        f"JOIN bmd_metric m USING (metric_id) WHERE d.serial = '{serial}'")]


def a_delay_goes_on_over_kill_9(stack):
    add_device(stack, "WAIT", SpO2={"low": 90, "delay": "12 s"}, PulseRate={"high": 120, "delay": "12 s"})
    stack.base = now_us(-60)
    hand(stack, f"WAIT {stack.base} SpO2=80 PulseRate=130")
    hand(stack, f"WAIT {stack.base + 8_000_000} SpO2=80 PulseRate=100")  # one wait is over
    wait_until(lambda: waiting(stack, "WAIT") == ["SpO2"]
               and stack.sql("SELECT count(*) FROM bmd_readings WHERE serial = 'WAIT'") == [["4"]], 3,
               "what waits")
    stack.kill9()
    stack.restart()
    hand(stack, f"WAIT {stack.base + 11_000_000} SpO2=80 PulseRate=130")
    assert alerts(stack, "WAIT") == [], "too early"
    hand(stack, f"WAIT {stack.base + 12_000_000} SpO2=79 PulseRate=130")
    found = alerts(stack, "WAIT")
    assert [(a["metric"], a["value"]) for a in found] == [("SpO2", "79")], found


def what_has_waited_is_kept_no_longer_than_it_waits(stack):
    wait_until(lambda: waiting(stack, "WAIT") == ["PulseRate"], 3, "the wait of the pulse rate alone")
    stack.sql("UPDATE bmd_device_limit SET high = 140 WHERE serial = 'WAIT' AND metric = 'PulseRate'")
    wait_until(lambda: waiting(stack, "WAIT") == [], 3, "its end by a changed limit")


run("rules-and-owners", [
    an_open_alert_takes_the_new_limit_and_priority, a_reopened_alert_takes_them_too,
    changing_sides_reopens_what_is_latched, a_stale_alert_after_an_enabling_is_another_one,
    an_enabled_device_brings_nothing_of_before, another_patient_has_no_part_in_what_was,
    a_delay_goes_on_over_kill_9, what_has_waited_is_kept_no_longer_than_it_waits], errors_expected=True)
