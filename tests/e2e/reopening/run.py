"""Lets conditions come back; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, add_device, alerts, hand, history, no_device_falls_silent_meanwhile, setting, stats
from stack import run, wait_until


def flap(stack, serial):
    hand(stack, f"{serial} SpO2=97")
    assert alerts(stack, serial) == []
    hand(stack, f"{serial} SpO2=79")
    return alerts(stack, serial)[0]


def a_condition_that_comes_back_continues_its_alert(stack):
    for serial in ("BACK-1", "BACK-2", "BACK-3"):
        add_device(stack, serial, assign="tech3")
    stack.watcher = Watcher(stack, "tech3")
    hand(stack, "BACK-1 SpO2=80")
    stack.first = alerts(stack, "BACK-1")[0]
    again = flap(stack, "BACK-1")
    assert (again["id"], again["code"]) == (stack.first["id"], stack.first["code"]), again
    assert again["state"] == "active" and again["value"] == "79", again
    wait_until(lambda: history(stack, "BACK-1") == [["raised", "cleared", "reopened"]], 3, "one history")
    stack.watcher.wait(lambda: stack.watcher.about("BACK-1"), "the alert")


def who_accepted_keeps_it_and_other_responses_begin_anew(stack):
    stack.kamcmd("bmd.accept", stack.first["code"], "tech3")
    assert flap(stack, "BACK-1")["by"] == "tech3"
    stack.kamcmd("bmd.reject", stack.first["code"], "tech3")
    again = flap(stack, "BACK-1")
    # what was handed back is escalated at once, to whoever else there is: nobody
    assert (again["id"], again["by"]) == (stack.first["id"], "") and again["response"] in ("none", "escalated"), again


def it_comes_back_after_kill_9_too(stack):
    stack.kamcmd("bmd.accept", stack.first["code"], "tech3")
    hand(stack, "BACK-1 SpO2=97")
    wait_until(lambda: history(stack, "BACK-1")[0][-1] == "cleared", 3, "the stored end")
    stack.kill9()
    stack.restart()
    hand(stack, "BACK-1 SpO2=78")
    again = alerts(stack, "BACK-1")[0]
    assert (again["id"], again["code"], again["by"]) == (stack.first["id"], stack.first["code"], "tech3"), again


def what_a_person_has_dealt_with_does_not_come_back(stack):
    stack.kamcmd("bmd.ack", stack.first["code"], "tech3")
    assert flap(stack, "BACK-1")["id"] != stack.first["id"]


def another_patient_gets_an_alert_of_its_own(stack):
    hand(stack, "BACK-2 SpO2=80")
    first = alerts(stack, "BACK-2")[0]["id"]
    hand(stack, "BACK-2 SpO2=97")
    patient = stack.sql("INSERT INTO bmd_patient (name) VALUES ('Other Example') RETURNING patient_id")[0][0]
    stack.sql(f"UPDATE bmd_device SET patient_id = {patient} WHERE serial = 'BACK-2'")
    wait_until(lambda: stats(stack)["alerts_kept"] == 0, 3, "the closing")
    hand(stack, "BACK-2 SpO2=80")
    assert alerts(stack, "BACK-2")[0]["id"] != first
    why = "SELECT e.why FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) WHERE serial = 'BACK-2' AND event = 'closed'"
    wait_until(lambda: stack.sql(why) == [["reassigned"]], 3, "why it closed")


def after_the_time_it_is_a_new_alert(stack):
    setting(stack, "reopen_seconds", 1)
    hand(stack, "BACK-3 SpO2=80")
    first = alerts(stack, "BACK-3")[0]["id"]
    hand(stack, "BACK-3 SpO2=97")
    time.sleep(1.1)
    hand(stack, "BACK-3 SpO2=80")
    assert alerts(stack, "BACK-3")[0]["id"] != first
    wait_until(lambda: history(stack, "BACK-3") == [["raised", "cleared", "closed"], ["raised"]], 3, "two histories")


def a_full_book_gives_new_alerts_the_room(stack):
    setting(stack, "reopen_seconds", 60)
    names = [f"CROWD-{n}" for n in range(1, 5)]
    for serial in names:
        add_device(stack, serial)
    before = stats(stack)
    for serial in names:  # with what is open already more than the book holds
        hand(stack, f"{serial} SpO2=80")
        assert len(alerts(stack, serial)) == 1, serial
        hand(stack, f"{serial} SpO2=97")
    after = stats(stack)
    assert after["alerts_kept_too_short"] > before["alerts_kept_too_short"], after
    assert after["alerts_lost_memory"] == before["alerts_lost_memory"], after
    wait_until(lambda: history(stack, "CROWD-1") == [["raised", "cleared", "closed"]], 3, "the history")


run("reopening", [
    no_device_falls_silent_meanwhile, a_condition_that_comes_back_continues_its_alert, who_accepted_keeps_it_and_other_responses_begin_anew,
    it_comes_back_after_kill_9_too, what_a_person_has_dealt_with_does_not_come_back,
    another_patient_gets_an_alert_of_its_own, after_the_time_it_is_a_new_alert,
    a_full_book_gives_new_alerts_the_room], "--set", "ALERTS=5", errors_expected=True)
