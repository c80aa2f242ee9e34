"""Rules, patients and restarts change under open alerts; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import OXIMETER, Watcher, add_device, alerts, device, hand, held, history, now_us, provisioned
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
    provisioned(stack)
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
    add_device(stack, "LENT", patient=ids[0], assign="tech3")
    hand(stack, "LENT SpO2=80")
    assert alerts(stack, "LENT")[0]["patient"] == "First Example"
    stack.watcher.wait(lambda: stack.watcher.about("LENT"), "the alert")
    stack.sql(f"UPDATE bmd_device SET patient_id = {ids[1]} WHERE serial = 'LENT'")
    wait_until(lambda: device(stack, "LENT")[0]["patient"] == "Second Example", 3, "the patient")
    assert alerts(stack, "LENT") == [], alerts(stack, "LENT")
    wait_until(lambda: history(stack, "LENT") == [["raised", "reassigned"]], 3, "its history")
    stack.watcher.wait(lambda: not stack.watcher.about("LENT"), "its end")
    told = [a for d in stack.watcher.documents for a in d.alerts if a["serial"] == "LENT"]
    assert told[-1]["state"] == "cleared" and not any("Second Example" in a.values() for a in told), told
    hand(stack, "LENT SpO2=80")
    assert alerts(stack, "LENT")[0]["patient"] == "Second Example"


def waiting(stack, serial):
    return [row[0] for row in stack.sql("SELECT m.name FROM bmd_waiting JOIN bmd_device d USING (device_id) "
                                        f"JOIN bmd_metric m USING (metric_id) WHERE d.serial = '{serial}'")]


def a_value_that_is_not_measured_again_raises_nothing_however_late(stack):
    add_device(stack, "ONCE", SpO2={"low": 90, "delay": "1 s"}, PulseRate={"low": 50, "delay": "1 s"})
    first = now_us()
    hand(stack, f"ONCE {first} SpO2=80 PulseRate=?")
    time.sleep(1.3)
    stack.sql("UPDATE bmd_device SET location = 'hall' WHERE serial = 'ONCE'")  # judged again
    wait_until(lambda: device(stack, "ONCE")[0]["location"] == "hall", 3, "the location")
    assert alerts(stack, "ONCE") == [], alerts(stack, "ONCE")
    hand(stack, f"ONCE {first + 1_100_000} SpO2=81 PulseRate=?")
    assert sorted(a["condition"] for a in alerts(stack, "ONCE")) == ["invalid", "low"], alerts(stack, "ONCE")


def a_device_whose_type_is_newer_than_the_types_read_keeps_its_alerts(stack):
    add_device(stack, "NEWER", SpO2={"low": 90})
    hand(stack, "NEWER SpO2=80")
    wait_until(lambda: history(stack, "NEWER") == [["raised"]], 3, "the alert")
    with held(stack, "LOCK TABLE bmd_patient"):
        # the types are read, the patients wait for the lock, the devices come after
        stack.sql("SELECT pg_notify('bmd_change', 'bmd_device_type:newborn'), pg_notify('bmd_change', 'bmd_patient:1'), "
                  "pg_notify('bmd_change', 'bmd_device:NEWER')")
        wait_until(lambda: stack.sql("SELECT 1 FROM pg_locks WHERE relation = 'bmd_patient'::regclass AND NOT granted"), 1,
                   "the server to wait for the patients")
        stack.sql("INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('newborn', '1 h'); "
                  "UPDATE bmd_device SET type_name = 'newborn' WHERE serial = 'NEWER'")
    wait_until(lambda: (device(stack, "NEWER") or [{}])[0].get("type") == "newborn", 5, "the new type")
    time.sleep(0.3)
    assert len(alerts(stack, "NEWER")) == 1 and history(stack, "NEWER") == [["raised"]], history(stack, "NEWER")


def what_changed_hands_while_the_server_was_down_has_no_alert(stack):
    ids = [stack.sql(f"INSERT INTO bmd_patient (name) VALUES ('{name}') RETURNING patient_id")[0][0]
           for name in ("Third Example", "Fourth Example")]
    serials = [f"GONE-{what}" for what in ("disabled", "reassigned", "removed", "kept")]
    for serial in serials:
        add_device(stack, serial, patient=ids[0])
        hand(stack, f"{serial} SpO2=80")
    wait_until(lambda: all(history(stack, serial) == [["raised"]] for serial in serials), 3, "the alerts")
    stack.kill9()
    stack.sql("UPDATE bmd_device SET enabled = false WHERE serial = 'GONE-disabled';"
              f"UPDATE bmd_device SET patient_id = {ids[1]} WHERE serial = 'GONE-reassigned';"
              "DELETE FROM bmd_device WHERE serial = 'GONE-removed';"
              "INSERT INTO bmd_device (serial, type_name, patient_id) VALUES "
              f"('GONE-removed', '{OXIMETER}', {ids[0]});"
              f"UPDATE bmd_patient SET name = 'Third Renamed' WHERE patient_id = {ids[0]}")
    stack.restart()
    for serial in serials[:-1]:
        assert alerts(stack, serial) == [], alerts(stack, serial)
        wait_until(lambda s=serial: history(stack, s) == [["raised", s.removeprefix("GONE-")]], 3,
                   f"the end of the alert of {serial}")
    assert [a["patient"] for a in alerts(stack, "GONE-kept")] == ["Third Renamed"]
    names = stack.sql("SELECT DISTINCT patient_name FROM bmd_alert WHERE serial LIKE 'GONE-%'")
    assert names == [["Third Example"]], names


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
    a_value_that_is_not_measured_again_raises_nothing_however_late,
    a_device_whose_type_is_newer_than_the_types_read_keeps_its_alerts,
    what_changed_hands_while_the_server_was_down_has_no_alert,
    a_delay_goes_on_over_kill_9, what_has_waited_is_kept_no_longer_than_it_waits], errors_expected=True)
